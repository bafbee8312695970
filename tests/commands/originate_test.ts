import assert from "node:assert/strict";
import {
  DEFAULT_CONTEXT,
  type Originate,
  originateArguments,
  originateFault,
  parseOriginate,
} from "../../lib/commands/originate.ts";
import { Random } from "../faults/random.ts";

const call = (rest: Partial<Originate> = {}): Originate => ({
  variables: [],
  endpoint: "user/1000",
  ...rest,
});
const park = { name: "park", args: undefined };

/** Mod_mosquitto's README has them. */
const README_ORIGINATES = [
  "{origination_caller_id_number=19005551212}sofia/internal/sip:1000@192.168.1.1:58289 " +
  "9386 XML default",
  "{origination_caller_id_number=9005551212}sofia/default/whatever@wherever 19005551212 " +
  "XML default",
];

for (
  const [text, expected] of [
    ["user/1000 9386", call({ destination: "9386" })],
    ["user/1000   9386  ", call({ destination: "9386" })],
    ["user/1000 9386 XML", call({ destination: "9386" })],
    ["user/1000 9386 xml public", call({ destination: "9386", context: "public" })],
    ["user/1000 &park", call({ app: park })],
    ["user/1000 &park()", call({ app: { name: "park", args: "" } })],
    ["user/1000 &park XML default", call({ app: park })],
    ["user/1000 &park XML any", call({ app: park })],
    ["user/1000 &playback(a/b.wav)", call({ app: { name: "playback", args: "a/b.wav" } })],
    ["user/1000 '&playback(a b.wav)'", call({ app: { name: "playback", args: "a b.wav" } })],
    ["user/1000 '9386' 'XML' 'default'", call({ destination: "9386", context: "default" })],
    [
      "user/1000 1 XML default 'Anna B' +4930 30",
      call({
        destination: "1",
        context: "default",
        callerIdName: "Anna B",
        callerIdNumber: "+4930",
        timeout: 30,
      }),
    ],
    [
      "user/1000 1 XML default undef UNDEF 30",
      call({ destination: "1", context: "default", timeout: 30 }),
    ],
    ["{leg_timeout=20}user/1000 &park", call({ variables: [["leg_timeout", "20"]], app: park })],
    [
      "{a='b c',d='e, f',g='PCMU,PCMA',h=PCMU\\,PCMA,i=x}user/1000 &park",
      call({
        variables: [["a", "b c"], ["d", "e, f"], ["g", "PCMU,PCMA"], ["h", "PCMU,PCMA"], [
          "i",
          "x",
        ]],
        app: park,
      }),
    ],
    [
      "{a='Jürgen Ö (Köln)'}user/1000 2",
      call({
        variables: [["a", "Jürgen Ö (Köln)"]],
        destination: "2",
      }),
    ],
    ["{sip_h_X-Foo=b}user/1000 2", call({ variables: [["sip_h_X-Foo", "b"]], destination: "2" })],
    [
      "user/1000@pbx.example.com 2",
      call({ endpoint: "user/1000@pbx.example.com", destination: "2" }),
    ],
    [
      "sofia/gateway/gw-1/+4930123 2",
      call({ endpoint: "sofia/gateway/gw-1/+4930123", destination: "2" }),
    ],
    [
      "sofia/internal/sip:1000@192.168.1.1:58289;transport=tcp 2",
      call({
        endpoint: "sofia/internal/sip:1000@192.168.1.1:58289;transport=tcp",
        destination: "2",
      }),
    ],
    [
      "sofia/internal/sip:1@[2001:db8::1]:5060;transport=tls;user=phone 2",
      call({
        endpoint: "sofia/internal/sip:1@[2001:db8::1]:5060;transport=tls;user=phone",
        destination: "2",
      }),
    ],
    ["verto.rtc/1000 2", call({ endpoint: "verto.rtc/1000", destination: "2" })],
  ] satisfies [string, Originate][]
) {
  Deno.test(`"${text}" is a call`, () => {
    assert.deepEqual(parseOriginate(text), expected);
    assert.equal(originateFault(expected), undefined);
  });
}

const SHAPE = /^a quote or a space stands where none may$/;
const NEEDS = /^it needs an endpoint, and/;
const ENDPOINT = /^its endpoint is not a single one/;
const EXTENSION = /^its extension holds/;
const APP = /^its application/;
const ARGS = /^the arguments of its application hold/;
const DIALPLAN = /^its dialplan is not XML$/;
const BLOCK = /^its variables are not `name=value`|^its variables end in a comma/;
const NAME = /^the name of a variable/;
const VALUE = /^the value of a variable/;
const TIMEOUT = /^its timeout is/;

for (
  const [what, text, fault] of [
    ["nothing", "", NEEDS],
    ["an endpoint alone", "user/1000", NEEDS],
    ["an open quote", "user/1000 'a", SHAPE],
    ["text right behind a quote", "'user/1000'2 3", SHAPE],
    ["a quote within a word", "user/10'0'0 2", SHAPE],
    [
      "more words than an originate has",
      "user/1 2 XML default a 1 30 31",
      /more than an originate/,
    ],

    ["no kind of endpoint", "1000 2", ENDPOINT],
    ["an empty endpoint", "'' 2", ENDPOINT],
    ["a kind alone", "user/ 2", ENDPOINT],
    ["two endpoints at once", "user/1000,user/1001 2", ENDPOINT],
    ["two endpoints in turn", "user/1000|user/1001 2", ENDPOINT],
    ["two calls", "user/1000:_:user/1001 2", /several calls/],
    ["two calls in a variable", "{a=:_:}user/1000 2", /several calls/],
    ["leg variables", "[a=b]user/1000 2", ENDPOINT],
    ["leg variables behind the endpoint", "user/1000[a=b] 2", ENDPOINT],
    ["an enterprise block", "<a=b>user/1000 2", ENDPOINT],
    ["two blocks", "{a=b}{c=d}user/1000 2", ENDPOINT],
    ["a space behind the block", "{a=b} user/1000 2", SHAPE],
    ["a space before the block", "' {a=b}user/1000' 2", ENDPOINT],
    ["a block within the endpoint", "user/{a=b}1000 2", ENDPOINT],
    ["a block in quotes with the endpoint", "'{a=b}user/1000' 2", ENDPOINT],
    ["a variable in the endpoint", "user/${x} 2", ENDPOINT],
    ["fs_path", "sofia/internal/1@a;fs_path=sip:evil 2", ENDPOINT],
    ["maddr", "sofia/internal/1@a;maddr=192.0.2.1 2", ENDPOINT],
    ["received", "sofia/internal/1@a;received=192.0.2.1 2", ENDPOINT],
    ["URI headers", "sofia/internal/1@a?X=y 2", ENDPOINT],
    ["a transport of no kind", "sofia/internal/1@a;transport=x 2", ENDPOINT],
    ["a To override", "sofia/internal/1@a^2@b 2", ENDPOINT],
    ["a percent sign", "sofia/internal/1%41@a 2", ENDPOINT],
    ["a backslash in the endpoint", "user/1000\\s 2", ENDPOINT],
    ["a tilde in the endpoint", "user/1~ 2", ENDPOINT],
    ["two addresses in brackets", "sofia/a/1@[::1]@[::2] 2", ENDPOINT],
    ["brackets that begin", "sofia/a/1@[::1,x] 2", ENDPOINT],
    ["a letter that looks like one", "usеr/1000 2", ENDPOINT],
    ["wide letters", "ｕｓｅｒ/1000 2", ENDPOINT],
    ["a zero-width space", "user/10\u200b00 2", ENDPOINT],
    ["a sign that turns text round", "user/1000\u202e 2", ENDPOINT],
    ["other digits", "user/١٠٠٠ 2", ENDPOINT],
    ["a chosen delimiter", "^^|user/1000|2", NEEDS],
    ["a chosen delimiter and words", "^^:user/1000 2", ENDPOINT],

    ["no extension", "user/1000 ''", EXTENSION],
    ["undef for an extension", "user/1000 undef", /`undef`/],
    ["Undef in quotes for an extension", "user/1000 'Undef'", /`undef`/],
    ["undef for an application", "user/1000 &undef", /`undef`/],
    ["undef for a context", "user/1000 2 XML UNDEF", /`undef`/],
    ["a variable in a context beside an application", "user/1 &park XML ${x}", /^its context/],
    ["an empty context beside an application", "user/1000 &park XML ''", /^its context/],
    ["undef for a context beside an application", "user/1000 &park XML undef", /`undef`/],
    ["an empty context", "user/1000 2 XML ''", /^its context/],
    ["an inline application", "user/1000 system:id inline", DIALPLAN],
    ["INLINE", "user/1000 2 INLINE", DIALPLAN],
    ["two dialplans", "user/1000 2 XML,inline", DIALPLAN],
    ["an argument of a dialplan", "user/1000 2 XML:x default", DIALPLAN],
    ["another dialplan", "user/1000 2 enum", DIALPLAN],
    ["an empty dialplan", "user/1000 2 ''", DIALPLAN],
    ["a dialplan behind an application", "user/1000 &park inline", DIALPLAN],
    ["an ampersand alone", "user/1000 &", /^its application has no valid name$/],
    ["a space before the application", "user/1000 '& park'", /^its application has no valid name/],
    ["two applications", "user/1000 &park()&echo()", APP],
    ["text behind an application", "user/1000 &park()x", APP],
    ["text behind an application in quotes", "user/1000 '&park() x'", APP],
    ["parentheses in parentheses", "user/1000 &playback(a(b))", APP],
    ["an open parenthesis", "user/1000 &park(", APP],
    ["a closing parenthesis", "user/1000 &park)", APP],
    ["an application that runs another", "user/1000 &park::system", /no valid name$/],
    ["an application behind a colon", "user/1000 &park:x", /no valid name$/],
    ["an ampersand in an extension", "user/1000 2&park", EXTENSION],
    ["a variable in an extension", "user/1000 ${x}", EXTENSION],
    ["several extensions", "user/1000 1,2", EXTENSION],
    ["a colon in an extension", "user/1000 park:1", EXTENSION],
    ["a slash in an extension", "user/1000 1/2", EXTENSION],
    ["a bar in an extension", "user/1000 1|2", EXTENSION],
    ["a chosen delimiter of an extension", "user/1000 m:|:system:id", EXTENSION],
    ["other digits for an extension", "user/1000 ９３８６", EXTENSION],
    ["a variable in arguments", "user/1000 &playback(${system})", ARGS],
    ["variables set by arguments", "user/1000 &playback(%[a=b]x)", ARGS],
    ["a percent sign before arguments", "user/1000 &playback(%a)", ARGS],
    ["a quote in arguments", 'user/1000 &playback("a")', ARGS],
    ["a backslash in arguments", "user/1000 &playback(a\\nb)", ARGS],
    ["a bar in arguments", "user/1000 &playback(a|b)", ARGS],
    ["a delimiter in arguments", "user/1000 &playback(^^:a)", ARGS],
    ["two semicolons in arguments", "user/1000 &playback(a;;b)", /two commands/],
    ["a variable in a context", "user/1000 2 XML ${x}", /^its context/],
    ["a slash in a context", "user/1000 2 XML a/b", /^its context/],
    ["a bracket in a name", "user/1000 2 XML default <x>", /^the name of its caller id/],
    ["an empty name", "user/1000 2 XML default '' 1", /^the name of its caller id/],
    ["a name in spaces", "user/1000 2 XML default ' a '", /^the name of its caller id/],
    ["a colon in a name", "user/1000 2 XML default a:b", /^the name of its caller id/],
    ["a right-to-left sign in a name", "user/1 2 XML default a\u202eb", /^the name of its caller/],
    ["a zero-width joiner in a name", "user/1 2 XML default a\u200db", /^the name of its caller/],
    ["an @ in a number", "user/1000 2 XML default a 1@b", /^the number of its caller id/],
    ["no number of seconds", "user/1000 2 XML default a 1 x", TIMEOUT],
    ["a timeout of 0", "user/1000 2 XML default a 1 0", TIMEOUT],
    ["a timeout below 0", "user/1000 2 XML default a 1 -1", TIMEOUT],
    ["a timeout of seconds and more", "user/1000 2 XML default a 1 30s", TIMEOUT],
    ["a timeout of 16 digits", "user/1000 2 XML default a 1 9999999999999999", TIMEOUT],
    ["a timeout above an hour", "user/1000 2 XML default a 1 3601", TIMEOUT],
    ["undef for a timeout", "user/1000 2 XML default a 1 undef", TIMEOUT],

    ["an empty block", "{}user/1000 2", BLOCK],
    ["a block with no end", "{a=b user/1000 2", /./],
    ["a block in a block", "{a={b}}user/1000 2", /./],
    ["a comma at the end", "{a=b,}user/1000 2", BLOCK],
    ["a comma at the beginning", "{,a=b}user/1000 2", BLOCK],
    ["a name alone", "{a}user/1000 2", BLOCK],
    ["no name", "{=b}user/1000 2", BLOCK],
    ["a space in a name", "{a b=c}user/1000 2", BLOCK],
    ["a space around a name", "{ a=b}user/1000 2", BLOCK],
    ["a space outside of quotes", "{a=b c}user/1000 2", /needs quotes/],
    ["an open quote in the block", "{a='b}user/1000 2", BLOCK],
    ["a quote within a value", "{a=b'c'd}user/1000 2", BLOCK],
    ["text behind a quoted value", "{a='b'c}user/1000 2", BLOCK],
    ["a chosen delimiter", "{^^:a=b:c=d}user/1000 2", NAME],
    ["a chosen delimiter of a value", "{a=b,^^:c:d=e}user/1000 2", NAME],
    ["a chosen delimiter in a value", "{a=^^:b:c}user/1000 2", VALUE],
    ["a part of a variable", "{a[0]=b}user/1000 2", NAME],
    ["a colon in a name", "{a:b=c}user/1000 2", NAME],
    ["a variable as a name", "{${a=b}user/1000 2", /./],
    ["a digit at the beginning of a name", "{1a=b}user/1000 2", NAME],
    ["a letter of another alphabet in a name", "{lеg_timeout=1}user/1000 2", NAME],
    ["a name that ends in a line separator", "{a\u2028=b}user/1000 2", NAME],
    ["an empty value", "{a=}user/1000 2", VALUE],
    ["an empty value in quotes", "{a=''}user/1000 2", VALUE],
    ["a value that begins with a space", "{a=' b'}user/1000 2", VALUE],
    ["a value that ends in a space", "{a='b '}user/1000 2", VALUE],
    ["a variable in a value", "{a=$x}user/1000 2", VALUE],
    ["an equals sign in a value", "{a=b=c}user/1000 2", VALUE],
    ["a backslash in a value", "{a=b\\nc}user/1000 2", /./],
    ["a backslash at the end of a value", "{a=b\\}user/1000 2", /./],
    ["a backslash and a comma twice", "{a=b\\\\,c=d}user/1000 2", /./],
    ["a double quote in a value", '{a="b"}user/1000 2', VALUE],
    ["a bracket in a value", "{a=[b]}user/1000 2", VALUE],
    ["a bar in a value", "{a=b|c}user/1000 2", VALUE],
    ["a backtick in a value", "{a=`b`}user/1000 2", VALUE],
    ["a no-break space in a value", "{a=b\u00a0c}user/1000 2", VALUE],
    ["half a letter in a value", "{a=b\ud800}user/1000 2", VALUE],
    ["a list for a value", "{a=ARRAY::b}user/1000 2", /a list/],
    ["a list in small letters", "{a=array::b}user/1000 2", /a list/],
    ["two semicolons in a value", "{a=b;;c}user/1000 2", /two commands/],
    ["a variable twice", "{a=b,a=c}user/1000 2", /sets a variable twice/],
    ["a variable twice in another case", "{leg_timeout=1,LEG_timeout=2}user/1 2", /twice/],
    ["variables in variables", "{origination_nested_vars=true}user/1000 2", /variables in/],
    ["variables in variables in capitals", "{ORIGINATION_NESTED_VARS=1}user/1 2", /variables in/],
    ["the word for it in a value", "{a=origination_nested_vars}user/1000 2", /variables in/],
    [
      "51 variables",
      `{${Array.from({ length: 51 }, (_, i) => `a${i}=b`).join(",")}}user/1000 2`,
      /more than 50 variables/,
    ],
    ["a value of 1,001 characters", `{a=${"x".repeat(1001)}}user/1 2`, /longer than 1000/],
    ["an endpoint of 1,001 characters", `user/${"1".repeat(996)} 2`, /longer than 1000/],
  ] as const
) {
  Deno.test(`an originate with ${what} is refused`, () => {
    const reading = parseOriginate(text);
    assert("fault" in reading, JSON.stringify(reading));
    assert.match(reading.fault, fault);
  });
}

for (
  const [what, parts, fault] of [
    ["a block in the endpoint", { endpoint: "{a=b}user/1", destination: "2" }, ENDPOINT],
    ["a space in the endpoint", { endpoint: "user/1 2", destination: "2" }, ENDPOINT],
    ["a quote in the endpoint", { endpoint: "user/1'", destination: "2" }, ENDPOINT],
    ["an empty destination", { destination: "" }, EXTENSION],
    ["an application as destination", { destination: "&park" }, EXTENSION],
    ["a space in the destination", { destination: "2 inline" }, EXTENSION],
    ["undef as destination", { destination: "uNdEf" }, /`undef`/],
    ["undef as a name", { destination: "2", callerIdName: "undef" }, /`undef`/],
    ["undef as a number", { destination: "2", callerIdNumber: "UNDEF" }, /`undef`/],
    ["a space in the context", { destination: "2", context: "a b" }, /^its context/],
    ["an empty application", { app: { name: "", args: undefined } }, APP],
    ["parentheses in an application", { app: { name: "park()", args: undefined } }, APP],
    ["a parenthesis in arguments", { app: { name: "park", args: ")" } }, ARGS],
    ["a quote in arguments", { app: { name: "park", args: "' inline" } }, ARGS],
    ["a quote in a name", { destination: "2", callerIdName: "a' b" }, /^the name of its/],
    ["a space in a number", { destination: "2", callerIdNumber: "1 2" }, /^the number of its/],
    ["a block in a value", { destination: "2", variables: [["a", "b}user/2"]] }, VALUE],
    ["a quote in a value", { destination: "2", variables: [["a", "b'"]] }, VALUE],
    ["a comma in a variable's name", { destination: "2", variables: [["a,b", "c"]] }, NAME],
    ["an equals sign in a variable's name", { destination: "2", variables: [["a=b", "c"]] }, NAME],
    ["__proto__ with brackets", { destination: "2", variables: [["__proto__[x]", "c"]] }, NAME],
    ["a timeout above an hour", { destination: "2", timeout: 3601 }, TIMEOUT],
  ] satisfies [string, Partial<Originate>, RegExp][]
) {
  Deno.test(`an originate in parts with ${what} is refused`, () => {
    const found = originateFault(call(parts));
    assert(found !== undefined);
    assert.match(found, fault);
  });
}

for (
  const [expected, parts] of [
    ["user/1000 2", { destination: "2" }],
    ["user/1000 &park", { app: park }],
    ["user/1000 &park()", { app: { name: "park", args: "" } }],
    ["user/1000 '&playback(a b.wav)'", { app: { name: "playback", args: "a b.wav" } }],
    ["user/1000 2 XML public", { destination: "2", context: "public" }],
    ["user/1000 2 XML default undef undef 30", { destination: "2", timeout: 30 }],
    ["user/1000 &park XML default undef 1", { app: park, callerIdNumber: "1" }],
    ["user/1000 &park XML default 'A B'", { app: park, callerIdName: "A B" }],
    ["{a=b,c=d}user/1000 2", { destination: "2", variables: [["a", "b"], ["c", "d"]] }],
    ["{a='b c'}user/1000 2", { destination: "2", variables: [["a", "b c"]] }],
    ["{a=b\\,c}user/1000 2", { destination: "2", variables: [["a", "b,c"]] }],
    ["{a='b\\, c'}user/1000 2", { destination: "2", variables: [["a", "b, c"]] }],
  ] satisfies [string, Partial<Originate>][]
) {
  Deno.test(`an originate is written as ${expected}`, () => {
    assert.equal(originateArguments(call(parts)), expected);
  });
}

for (const text of README_ORIGINATES) {
  Deno.test(`the README's originate ${text} passes unchanged`, () => {
    const reading = parseOriginate(text);
    assert(!("fault" in reading), JSON.stringify(reading));
    assert.equal(originateArguments(reading), text);
  });
}

/** What is left out is written where something stands behind it; beside an application it counts not. */
function withContext({ context, ...call }: Originate): Originate {
  const { app, callerIdName, callerIdNumber, timeout } = call;
  if (app !== undefined) return call;
  const isWritten = [context, callerIdName, callerIdNumber, timeout].some((x) => x !== undefined);
  return isWritten ? { ...call, context: context ?? DEFAULT_CONTEXT } : call;
}

/** Calls of every form, made of the signs that may stand in them. */
function randomCall(random: Random): Originate {
  const text = (signs: string, least = 1, most = 12) =>
    Array.from({ length: random.between(least, most) }, () => {
      const characters = [...signs];
      return characters[random.between(0, characters.length - 1)];
    }).join("");
  const maybe = <T>(make: () => T): T | undefined =>
    random.between(0, 1) === 0 ? make() : undefined;
  const trimmed = (signs: string) => `x${text(signs)}y`;
  const letters = "abcXYZ019";
  const context = maybe(() => `c${text(`${letters}_.-`)}`);
  const name = maybe(() => trimmed(`${letters}äЖ漢é _.+*#,()&!-`));
  const number = maybe(() => `+${text(`${letters}_+*#.-`)}`);
  const timeout = maybe(() => random.between(1, 3600));
  const variables = Array.from({ length: random.between(0, 4) }, (_, i) => {
    const value = trimmed(`${letters}äЖ漢é _.+*#@:/%,()&!?-,`);
    return [`v${i}${text(`${letters}_.-`)}`, value] as const;
  });
  const args = maybe(() => text(`${letters}./@+=,*# ~-`, 0));
  return {
    variables: variables.filter(([, value]) => !value.includes(":_:")),
    endpoint: `${random.pick("user", "sofia", "verto.rtc")}/${text(`${letters}.+*#@-`)}` +
      random.pick("", "@[2001:db8::1]", "@[::1]:5060") +
      random.pick("", ";transport=tcp", ";user=phone"),
    ...(random.between(0, 1) === 0
      ? { destination: `1${text(`${letters}_+*#.-`)}` }
      : { app: { name: `a${text(letters)}`, args } }),
    ...(context === undefined ? {} : { context }),
    ...(name === undefined ? {} : { callerIdName: name }),
    ...(number === undefined ? {} : { callerIdNumber: number }),
    ...(timeout === undefined ? {} : { timeout }),
  };
}

Deno.test("what is written is read as what it was", () => {
  const random = new Random(5);
  for (let i = 0; i < 5_000; i++) {
    const made = randomCall(random);
    assert.equal(originateFault(made), undefined, JSON.stringify(made));
    const text = originateArguments(made);
    assert.deepEqual(parseOriginate(text), withContext(made), text);
  }
});

Deno.test("long texts are read in no time", () => {
  const startedAt = performance.now();
  for (
    const text of [
      `user/${"a/".repeat(30_000)} 2`,
      `user/${"a@".repeat(30_000)}! 2`,
      `{${"a=b,".repeat(15_000)}user/1 2`,
      `{a='${" ".repeat(60_000)}}user/1 2`,
      `user/1${";transport=tcp".repeat(4_000)}; 2`,
      `user/1 &${"a(".repeat(30_000)}`,
      `user/1 ${"' ".repeat(30_000)}`,
      `${"{".repeat(60_000)}`,
      `user/1 2${" ".repeat(60_000)}'`,
      `{a=${"é ".repeat(20_000)}}user/1 2`,
    ]
  ) assert("fault" in parseOriginate(text), text.slice(0, 20));
  assert(performance.now() - startedAt < 1_000);
});
