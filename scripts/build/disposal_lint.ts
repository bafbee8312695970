/**
 * The plugin of `deno lint` that finds `using` declarations. Deno wants a plugin to be the default
 * export of its module.
 *
 * @module
 */

const plugin: Deno.lint.Plugin = {
  name: "bundle",
  rules: {
    "no-using": {
      create: (context) => ({
        VariableDeclaration(node) {
          if (node.kind.endsWith("using")) context.report({ node, message: node.kind });
        },
      }),
    },
  },
};

export default plugin;
