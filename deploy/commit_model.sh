#!/usr/bin/env bash
# What a training has promoted becomes a commit on a branch of origin. For CI other than GitHub's, which has more.
#
#     deploy/commit_model.sh BRANCH MARKER   MARKER: a file that is made when there was something to commit
#
# Needs git, and an origin that may be pushed to. The commit says [skip ci], so that it starts no pipeline.
set -euo pipefail
cd "$(dirname "$0")/.."

branch=${1:?BRANCH is missing} marker=${2:?MARKER is missing}
git add -- model
if git diff --cached --quiet -- model; then
  echo "the champion stays"
  exit
fi
series=$(git diff --cached --name-only -- model | cut -d / -f 2 | sort -u | paste -sd ' ')
export GIT_AUTHOR_NAME=actioncast GIT_AUTHOR_EMAIL=actioncast@localhost
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
git commit --quiet --message "Promote a new champion for $series [skip ci]" -- model
if ! git push --quiet origin "HEAD:$branch"; then # somebody else has pushed meanwhile
  git pull --quiet --rebase origin "$branch"
  git push --quiet origin "HEAD:$branch"
fi
mkdir -p "$(dirname "$marker")"
touch "$marker"
echo "promoted: $series"
