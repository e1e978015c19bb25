#!/usr/bin/env bash
# A new revision on Cloud Run: first beside the one that serves, then tested, then in front of it; and the way back.
#
#     deploy/cloud_run.sh candidate IMAGE   deploy it without traffic, under an address of its own
#     deploy/cloud_run.sh smoke             is it ready, and does it serve the champions of this checkout?
#     deploy/cloud_run.sh promote           all traffic to the newest revision; the one before keeps the tag "previous"
#     deploy/cloud_run.sh rollback          all traffic back to "previous"; the next deployment serves the newest again
#
# Needs gcloud, logged in, and python3. Environment: SERVICE, REGION, PROJECT; for a candidate also RUN_ACCOUNT, the
# service's own identity; for smoke DEPLOY_ACCOUNT, in whose name it calls a private service. Optional:
# CLOUD_SQL_INSTANCE (PROJECT:REGION:NAME), MAX_INSTANCES.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${SERVICE:=actioncast}" "${REGION:?is not set, e.g. europe-west1}" "${PROJECT:?is not set}"
here=(--project="$PROJECT" --region="$REGION" --quiet)

# An instance opens 2 connections at most (actioncast/database/connection.py) and threads wait for them, so 20 requests at a time are
# plenty. While two revisions serve there are 2 x 4 x 2 = 16 connections; the smallest Cloud SQL server allows 25.
limits=(--cpu=1 --memory=512Mi --cpu-boost --concurrency=20 --min-instances=0 --max-instances="${MAX_INSTANCES:-4}"
  --timeout=60 "--startup-probe=httpGet.path=/health,periodSeconds=2,timeoutSeconds=2,failureThreshold=30")

look() { state=$(gcloud run services describe "$SERVICE" "${here[@]}" --format=json); }

# About what look has seen. revision TAG FIELD: of the revision with this tag, or with all traffic when TAG is empty
revision() {
  python3 -c '
import json, sys
for target in json.load(sys.stdin)["status"].get("traffic", []):
    if target.get("tag", "") == sys.argv[1] if sys.argv[1] else target.get("percent") == 100:
        print(target.get(sys.argv[2], ""))
        break' "$1" "$2" <<<"$state"
}

candidate() {
  local secrets="DATABASE_URL=$SERVICE-database-url:latest,API_KEY=$SERVICE-api-key:latest" traffic=(--no-traffic)
  if ! look 2>/dev/null; then
    traffic=(--no-allow-unauthenticated) # the first revision serves at once: nobody is let in yet
  fi
  gcloud run deploy "$SERVICE" "${here[@]}" --image="$1" --tag=candidate "${traffic[@]}" "${limits[@]}" \
    --service-account="${RUN_ACCOUNT:?is not set}" --set-secrets="$secrets" \
    ${CLOUD_SQL_INSTANCE:+--set-cloudsql-instances="$CLOUD_SQL_INSTANCE"}
}

smoke() {
  local audience
  : "${DEPLOY_ACCOUNT:?is not set}"
  look
  audience=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["status"]["url"])' <<<"$state")
  SMOKE_TOKEN=$(gcloud auth print-identity-token --quiet --verbosity=error --include-email --audiences="$audience" \
    --impersonate-service-account="$DEPLOY_ACCOUNT") ||
    echo "warning: no identity token for $DEPLOY_ACCOUNT, so only a public service will answer. A private one wants" \
      "roles/iam.serviceAccountTokenCreator of the account on itself (deploy/gcp.sh create grants it)." >&2
  export SMOKE_TOKEN
  python3 -m deploy.smoke "$(revision candidate url)" --champions model
}

promote() {
  local old new
  look
  old=$(revision "" revisionName)
  new=$(revision candidate revisionName)
  # To "latest", not to its name: a named revision would keep all later ones from serving.
  gcloud run services update-traffic "$SERVICE" "${here[@]}" --to-latest
  if [ -n "$old" ] && [ "$old" != "$new" ]; then
    gcloud run services update-traffic "$SERVICE" "${here[@]}" --update-tags="previous=$old"
  fi
  echo "$new serves; before it: ${old:-none}"
}

rollback() {
  local old
  look
  old=$(revision previous revisionName)
  [ -n "$old" ] || { echo "there is no revision with the tag previous to go back to" >&2; return 1; }
  gcloud run services update-traffic "$SERVICE" "${here[@]}" --to-revisions="$old=100"
  echo "$old serves again, until the next deployment"
}

case "${1:-}" in
  candidate) candidate "${2:?IMAGE is missing}" ;;
  smoke | promote | rollback) "$1" ;;
  *) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
