#!/usr/bin/env bash
# Builds a real control plane from the Go modules of Kubernetes and etcd: the last resort where nothing can be downloaded.
# usage: build.sh OUT_DIR [PROGRAM…]      Needs Go 1.26. About 8 minutes on 2 cores the first time, seconds afterwards.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
shift
version=v1.36.3
# kubectl refuses to speak with a server of an unknown version, so the programs are told theirs.
ldflags="-s -w -X k8s.io/component-base/version.gitVersion=$version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"

for program in "${@:-etcd kube-apiserver kubectl kube-controller-manager}"; do
  for p in $program; do
    [ -x "$out/$p" ] && continue
    case $p in
      etcd) (cd "$here/etcd" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$out/$p.part" go.etcd.io/etcd/server/v3) ;;
      *) (cd "$here/kubernetes" && CGO_ENABLED=0 go build -trimpath -ldflags "$ldflags" -o "$out/$p.part" "k8s.io/kubernetes/cmd/$p") ;;
    esac
    mv "$out/$p.part" "$out/$p"
  done
done
