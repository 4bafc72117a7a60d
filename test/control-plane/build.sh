#!/usr/bin/env bash
# Builds a real control plane from the Go modules of Kubernetes and etcd: the last resort where nothing can be downloaded.
# usage: build.sh OUT_DIR [PROGRAM…]
# Needs Go (1.26.8, or an older one that may fetch its successor) and a module proxy.
# About 8 minutes on 2 cores the first time, seconds afterwards. Programs that are in OUT_DIR already are left alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- etcd kube-apiserver kubectl kube-controller-manager kube-scheduler

version=v1.36.3
minor=${version#v1.}
# kubectl and the API server tell each other their versions, which a plain `go build` leaves at v0.0.0.
stamp=k8s.io/component-base/version
ldflags="-s -w -X $stamp.gitVersion=$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=${minor%%.*}"

export CGO_ENABLED=0 GOWORK=off
part=
trap 'rm -f "$part"' EXIT
for program in "$@"; do
  [ -x "$out/$program" ] && continue
  echo "building $program" >&2
  part=$out/$program.part.$$
  case $program in
    etcd) (cd "$here/etcd" && go build -trimpath -ldflags '-s -w' -o "$part" go.etcd.io/etcd/server/v3) ;;
    *) (cd "$here/kubernetes" && go build -trimpath -ldflags "$ldflags" -o "$part" "k8s.io/kubernetes/cmd/$program") ;;
  esac
  mv "$part" "$out/$program"
done
