#!/bin/sh
# Runs systemd as the first process of namespaces of its own, on a copy of this machine's files that
# is gone afterwards. Only the network is this machine's.
#
#   systemd.sh boot FOLDER PROJECT DENO_DIR DENO   the whole; ends when systemd does
#   systemd.sh probe FOLDER                        whether this machine lets it: no output, or why not
#
# FOLDER is an empty one. In the copy, /usr/lib/fsmqtt-test has the project, Deno and its npm packages.
set -eu

enter() {
  self=$1 stage=$2
  shift 2
  unshare --mount --propagation private "$self" "$stage" "$@"
}

# Mounts the copy of the root folder in FOLDER/mnt/root.
copy_root() {
  mkdir -p "$1/mnt"
  mount -t tmpfs tmpfs "$1/mnt"
  mkdir "$1/mnt/upper" "$1/mnt/work" "$1/mnt/root" "$1/mnt/cgroup"
  mount -t overlay overlay \
    -o "lowerdir=/,upperdir=$1/mnt/upper,workdir=$1/mnt/work" "$1/mnt/root"
  mount -t cgroup2 cgroup2 "$1/mnt/cgroup"
}

# The mounts of the first stage go with its namespace; its cgroups would stay.
boot() {
  folder=$1
  copy_root "$folder"
  group=$folder/mnt/cgroup/fsmqtt-test-$$
  mkdir "$group"
  # The shell itself stays outside, so that it can remove it.
  sh -c 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"' sh "$group" \
    unshare --cgroup --uts --ipc --pid --fork --kill-child --mount --propagation private \
    "$0" init "$@" || true
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep 0.1
  done
}

init() {
  folder=$1 project=$2 deno_dir=$3 deno=$4
  root=$folder/mnt/root
  cd "$root"
  for each in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$each"; done
  chmod 1777 tmp
  mkdir dev/shm dev/pts
  chmod 1777 dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  for each in null zero full random urandom tty; do
    : > "dev/$each"
    mount --bind "/dev/$each" "dev/$each"
  done
  mount -t proc proc proc
  mount --bind proc/sys proc/sys
  mount -o remount,bind,ro proc/sys
  mount -t sysfs -o ro sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  # These may be mounts of their own, and where the service is not let in.
  mkdir -p usr/lib/fsmqtt-test/project usr/lib/fsmqtt-test/npm
  mount --bind "$project" usr/lib/fsmqtt-test/project
  [ ! -d "$deno_dir/npm" ] || mount --bind "$deno_dir/npm" usr/lib/fsmqtt-test/npm
  : > usr/lib/fsmqtt-test/deno
  mount --bind "$deno" usr/lib/fsmqtt-test/deno
  # Nothing that this machine has of services, and of fsmqtt, is to be there.
  rm -rf etc/fstab etc/systemd/system/*.wants usr/lib/systemd/system/*.wants var/log/journal
  for each in etc usr/lib var/lib var/log var/cache; do rm -rf "$each/fsmqtt"; done
  mkdir -p run/systemd/system
  printf '[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\n' \
    > run/systemd/system/fsmqtt-test.target
  mkdir old_root.fsmqtt-test
  pivot_root . old_root.fsmqtt-test
  cd /
  umount -l /old_root.fsmqtt-test
  # Credentials come into a service by propagation.
  mount --make-rshared /
  exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    container=fsmqtt-test \
    setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio,-sys_boot,-syslog \
    /lib/systemd/systemd --system --unit=fsmqtt-test.target \
    --log-target=journal --log-level=info --show-status=no
}

case $1 in
  probe) enter "$0" probe-inside "$2" 2>&1 ;;
  probe-inside)
    copy_root "$2"
    mkdir "$2/mnt/cgroup/fsmqtt-test-$$"
    rmdir "$2/mnt/cgroup/fsmqtt-test-$$"
    unshare --cgroup --uts --ipc --pid --fork --mount --propagation private \
      sh -c 'mount -t proc proc "$1/proc" && mount -t sysfs -o ro sysfs "$1/sys"' \
      sh "$2/mnt/root"
    ;;
  boot) shift; enter "$0" boot-inside "$@" ;;
  boot-inside) shift; boot "$@" ;;
  init) shift; init "$@" ;;
esac
