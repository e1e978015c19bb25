#!/usr/bin/env bash
# Build and try the image, the same way everywhere.
#
#     deploy/image.sh build IMAGE   labelled with the commit ($REVISION) and the versions of the champions in model/
#     deploy/image.sh try IMAGE     can it load its champions, does it start without any right, is it ready, does it forecast?
#
# Needs docker. SERVING=auto|slim|full as in the Dockerfile; BASE_IMAGE, another base than that of deploy/base/Dockerfile.
set -euo pipefail
cd "$(dirname "$0")/.."

# What is deployed is built on exactly this base.
: "${BASE_IMAGE:=$(sed -n 's/^FROM //p' deploy/base/Dockerfile)}"

build() {
  local versions tag=${BASE_IMAGE%@*}
  if ! docker pull --quiet "$BASE_IMAGE" >/dev/null 2>&1 && docker image inspect "$tag" >/dev/null 2>&1; then
    echo "warning: $BASE_IMAGE cannot be pulled; this machine's $tag takes its place" >&2
    BASE_IMAGE=$tag
  fi
  versions=$(sed -n 's/^  "version": "\([^"]*\)".*/\1/p' model/*/card.json 2>/dev/null | paste -sd ' ' - || true)
  docker build --tag "$1" --build-arg SERVING="${SERVING:-auto}" --build-arg REVISION="${REVISION:-unknown}" \
    --build-arg MODEL_VERSION="${versions:-none}" --build-arg BASE="$BASE_IMAGE" .
}

try() {
  local container
  container=$(docker run --detach --network none --read-only --tmpfs /tmp --cap-drop ALL "$1")
  # shellcheck disable=SC2064 # now, not then
  trap "docker rm --force $container >/dev/null" EXIT
  docker exec "$container" python -m deploy.champions
  docker exec "$container" python -m deploy.smoke --forecast || { docker logs "$container"; return 1; }
}

case "${1:-}" in
  build | try) "$1" "${2:?IMAGE is missing}" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
