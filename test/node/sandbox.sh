# Becomes the program of a container: gives it a root directory and user of its own, then runs it in its place.
# Started in a new mount namespace, with a new process namespace for its child: see sandbox.ts.
# usage: sh sandbox.sh outside ROOT ENVIRONMENT WORKING_DIRECTORY [MODE SOURCE TARGET]… -- [SETPRIV_OPTION]… -- PROGRAM [ARGUMENT]…
# ENVIRONMENT is a file that defines `in_environment`, which becomes a command with the program's variables and no others, and `path`.
# Writes `started` to descriptor 3 just before the program takes over, or what is wrong.
set -u
where=$1
shift
if [ "$where" = outside ]; then
  # Only waits, to pass on the exit code: `unshare --fork` loses that of a program that is killed. What the shell itself has to
  # say of it does not belong into the log.
  exec 4>&2 2> /dev/null
  (exec /bin/sh "$0" inside "$@" 2>&4 4>&-)
  exit $?
fi
set -e
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
root=$1 environment=$2 directory=$3
shift 3
# shellcheck source=/dev/null
. "$environment"
fail() { echo "$*" >&3; exit 128; }

mount -t tmpfs -o mode=755 container "$root" 2>&3
# What an image would bring along, this machine lends.
for lent in bin sbin lib lib32 lib64 libx32 usr etc sys; do
  if [ -L "/$lent" ]; then cp -P "/$lent" "$root/$lent"
  elif [ -d "/$lent" ]; then mkdir "$root/$lent"; mount --rbind "/$lent" "$root/$lent" 2>&3; fi
done
mkdir "$root/proc" "$root/dev" "$root/tmp" "$root/run" "$root/var" "$root/home"
chmod 1777 "$root/tmp"
mount -t proc proc "$root/proc" 2>&3
for device in null zero full random urandom tty; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device" 2>&3
done
mkdir -m 1777 "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"

while [ "$1" != -- ]; do
  mode=$1 source=$2 target=$root$3
  shift 3
  if [ -d "$source" ]; then mkdir -p "$target"
  elif [ ! -e "$target" ]; then mkdir -p "$(dirname "$target")"; : > "$target"; fi
  mount --bind "$source" "$target" 2>&3
  [ "$mode" = rw ] || mount -o remount,bind,ro "$target" 2>&3
done
shift

chroot=$(command -v chroot)
for argument in "$@"; do
  if [ -n "${last-}" ]; then program=$argument; break; fi
  [ "$argument" != -- ] || last=yes
done
PATH=$path "$chroot" "$root" /bin/sh -c 'command -v "$0" > /dev/null' "$program" ||
  fail "exec: \"$program\": no such file, or not executable"
echo started >&3
exec 3>&-
cd /
in_environment "$chroot" "$root" /usr/bin/env --chdir="$directory" /usr/bin/setpriv --pdeathsig=KILL "$@"
