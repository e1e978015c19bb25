# What actions/checkout does to the workspace: one fetch, one branch (or a detached commit), and the credentials kept
# outside .git for later git commands, unless persist-credentials is false.
set -euo pipefail

fail() { echo "::error::$1"; exit 1; }

[ "$REPOSITORY" = "$GITHUB_REPOSITORY" ] || fail "Repository '$REPOSITORY' not found"
[ -n "$TOKEN" ] || fail "Input required and not supplied: token"

server="$GITHUB_SERVER_URL/"
basic=$(printf 'x-access-token:%s' "$TOKEN" | base64 | tr -d '\n')
echo "::add-mask::$basic"

mkdir -p "$GITHUB_WORKSPACE/$FOLDER"
cd "$GITHUB_WORKSPACE/$FOLDER"
[ -d .git ] || git -c init.defaultBranch=main init --quiet .
git remote remove origin 2>/dev/null || true
git config --local --unset-all include.path 2>/dev/null || true
git remote add origin "$server$REPOSITORY"
with_token() { git -c "http.$server.extraheader=AUTHORIZATION: basic $basic" "$@"; }

# Which ref and commit: those of the event, or what `ref` names on the server.
commit=
case "$REF" in
  "") ref=$GITHUB_REF; commit=$GITHUB_SHA ;;
  refs/*) ref=$REF ;;
  *)
    if [[ "$REF" =~ ^[0-9a-f]{40}$ ]]; then
      ref=; commit=$REF
    else
      listed=$(with_token ls-remote origin "refs/heads/$REF" "refs/tags/$REF" | awk 'NR == 1 { print $2 }')
      ref=${listed:-refs/heads/$REF}
    fi ;;
esac

case "$ref" in
  refs/heads/*) target="refs/remotes/origin/${ref#refs/heads/}" ;;
  refs/pull/*) target="refs/remotes/${ref#refs/}" ;;
  refs/tags/*) target=$ref ;;
  *) target=refs/remotes/origin/fetched ;;
esac
options=(--quiet --no-recurse-submodules --no-tags)
if [ "$TAGS" = true ]; then options[2]=--tags; fi
if [ "$DEPTH" -gt 0 ]; then
  options+=("--depth=$DEPTH")
else
  with_token fetch --quiet --tags --prune origin '+refs/heads/*:refs/remotes/origin/*'
fi
with_token fetch "${options[@]}" origin "+${commit:-$ref}:$target" || fail "The process 'git' failed with exit code 128"

if [ "$CLEAN" = true ]; then git clean -ffdxq; fi
case "$ref" in
  refs/heads/*)
    git checkout --quiet --force -B "${ref#refs/heads/}" "$target"
    git branch --quiet --set-upstream-to="origin/${ref#refs/heads/}" >/dev/null 2>&1 || true ;;
  *) git checkout --quiet --force --detach "$target" ;;
esac

if [ "$PERSIST" = true ]; then
  kept="$RUNNER_TEMP/git-credentials-$RANDOM$RANDOM.config"
  mkdir -p "$RUNNER_TEMP"
  git config --file "$kept" "http.$server.extraheader" "AUTHORIZATION: basic $basic"
  git config --local include.path "$kept"
fi
echo "ref=$ref" >> "$GITHUB_OUTPUT"
echo "commit=$(git rev-parse HEAD)" >> "$GITHUB_OUTPUT"
