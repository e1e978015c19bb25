#!/usr/bin/env bash
# Google Cloud made ready for this repository, once; run it again at any time, what is there already stays as it is.
#
#     export PROJECT=my-project REGION=europe-west1 GITHUB_REPOSITORY=me/forecasts
#     DATABASE_URL='postgresql://...' deploy/gcp.sh create --dry-run   print what is missing, change nothing
#     DATABASE_URL='postgresql://...' deploy/gcp.sh create
#     deploy/gcp.sh status
#     deploy/gcp.sh destroy --yes                                      all of it but a Cloud SQL server
#
# Needs gcloud, logged in as an owner of the project, python3, curl and openssl. Optional environment:
#     SERVICE=actioncast                     name of the service, and the beginning of all other names
#     GITHUB_OWNER_ID, GITHUB_REPOSITORY_ID  numbers; asked of api.github.com when not set (public repositories)
#     GITHUB_BRANCH=main                     the branch that deploys; not set, the default branch of this clone's origin
#     CLOUD_SQL=db-f1-micro                  make a Cloud SQL server of this size instead of taking DATABASE_URL
#     CLOUD_BUILD=1                          connection and trigger: each push to the branch runs cloudbuild.yaml
#     PING_TOKEN                             fine-grained GitHub token (this repository, Actions: write): Cloud Scheduler
#                                            starts the hourly workflow on time. Who may view the project can read it.
set -euo pipefail

command=${1:-}
shift || true
dry_run='' yes=''
for flag in "$@"; do
  case $flag in
    --dry-run) dry_run=1 ;;
    --yes) yes=1 ;;
    *) echo "unknown flag $flag" >&2; exit 2 ;;
  esac
done
case $command in create | status | destroy) ;; *) sed -n '2,19s/^# \{0,1\}//p' "$0"; exit 2 ;; esac

default_branch() {
  local head
  head=$(git -C "$(dirname "$0")" symbolic-ref --quiet --short refs/remotes/origin/HEAD 2>/dev/null) || head=origin/main
  echo "${head#origin/}"
}

: "${PROJECT:?is not set}" "${REGION:?is not set, e.g. europe-west1}" "${SERVICE:=actioncast}"
account=$SERVICE-deploy@$PROJECT.iam.gserviceaccount.com # builds and deploys
runner=$SERVICE-run@$PROJECT.iam.gserviceaccount.com     # the service itself
: "${GITHUB_BRANCH:=$(default_branch)}"
changes=0

gc() { gcloud --project="$PROJECT" --quiet "$@"; }
there() { gc "$@" >/dev/null 2>&1; }

project_number() { gc projects describe "$PROJECT" --format='value(projectNumber)' 2>/dev/null || echo PROJECT_NUMBER; }
build_agent() { echo "serviceAccount:service-$(project_number)@gcp-sa-cloudbuild.iam.gserviceaccount.com"; } # Google's own

# change WORDS...: print a gcloud command that changes something and, but for --dry-run, run it. A secret is no word of it,
# which others could see in the list of processes: it comes last, as --flags-file=<(...), and gcloud reads it from a pipe.
change() {
  local line
  changes=$((changes + 1))
  printf -v line '%q ' "$@"
  echo "+ gcloud ${line/--flags-file=*/--flags-file=***}"
  [ -n "$dry_run" ] || gc "$@" >/dev/null </dev/null
}

# filled NAME: is there a secret with a value? A run that was interrupted leaves one without.
filled() { there secrets versions describe latest --secret="$1"; }

# secret NAME VALUE: made once, with this value; a later value is a new version that you add yourself
secret() {
  filled "$1" && return
  there secrets describe "$1" || change secrets create "$1" --replication-policy=automatic
  changes=$((changes + 1))
  echo "+ gcloud secrets versions add $1 --data-file=- <<< ***"
  [ -n "$dry_run" ] || printf %s "$2" | gc secrets versions add "$1" --data-file=- >/dev/null
}

# holds MEMBER ROLE WORDS...: has it this role, in the policy that the words ask for?
holds() {
  gc "${@:3}" --flatten='bindings[].members' --format='value(bindings.role)' \
    --filter="bindings.role=$2 AND bindings.members=$1" 2>/dev/null </dev/null | grep -q .
}

# grant MEMBER ROLE "GROUP" NAME [--location=...]: a role on one resource, if it is not granted yet
grant() {
  local member=$1 role=$2 group name=("${@:4}")
  read -ra group <<<"$3"
  if ! holds "$member" "$role" "${group[@]}" get-iam-policy "${name[@]}"; then
    local condition=()
    if [ "$3" = projects ]; then condition=(--condition=None); fi
    change "${group[@]}" add-iam-policy-binding "${name[@]}" --member="$member" --role="$role" "${condition[@]}"
  fi
}

create_apis() {
  local api enabled missing=()
  enabled=$(gc services list --enabled --format='value(config.name)' 2>/dev/null || true)
  for api in run artifactregistry secretmanager iam iamcredentials sts ${CLOUD_BUILD:+cloudbuild} \
    ${CLOUD_SQL:+sqladmin} ${PING_TOKEN:+cloudscheduler}; do
    grep -qx "$api.googleapis.com" <<<"$enabled" || missing+=("$api.googleapis.com")
  done
  if ((${#missing[@]})); then change services enable "${missing[@]}"; fi
}

create_accounts() {
  local name
  for name in deploy run; do
    there iam service-accounts describe "$SERVICE-$name@$PROJECT.iam.gserviceaccount.com" ||
      change iam service-accounts create "$SERVICE-$name" --display-name="$SERVICE: $name"
  done
}

create_registry() {
  there artifacts repositories describe "$SERVICE" --location="$REGION" ||
    change artifacts repositories create "$SERVICE" --location="$REGION" --repository-format=docker
  grant "serviceAccount:$account" roles/artifactregistry.writer "artifacts repositories" "$SERVICE" --location="$REGION"
}

create_database() {
  local password='' user=create connection=$PROJECT:$REGION:$SERVICE
  if [ -n "${CLOUD_SQL:-}" ]; then
    there sql instances describe "$SERVICE" ||
      change sql instances create "$SERVICE" --region="$REGION" --database-version=POSTGRES_17 --edition=ENTERPRISE \
        --tier="$CLOUD_SQL" --storage-size=10 --backup-start-time=03:00 --deletion-protection
    there sql databases describe "$SERVICE" --instance="$SERVICE" ||
      change sql databases create "$SERVICE" --instance="$SERVICE"
    if ! filled "$SERVICE-database-url"; then # a user who is there already has a password that nobody knows
      password=$(openssl rand -hex 24)
      if there sql users describe "$SERVICE" --instance="$SERVICE"; then user=set-password; fi
      change sql users "$user" "$SERVICE" --instance="$SERVICE" --flags-file=<(printf -- '--password: "%s"\n' "$password")
      DATABASE_URL="postgresql://$SERVICE:$password@/$SERVICE?host=/cloudsql/$connection"
    fi
    grant "serviceAccount:$runner" roles/cloudsql.client projects "$PROJECT"
  elif [ -z "${DATABASE_URL:-}" ] && ! filled "$SERVICE-database-url"; then
    echo "set DATABASE_URL to a PostgreSQL server that GitHub and Cloud Run can reach, or CLOUD_SQL=db-f1-micro" >&2
    exit 2
  fi
  secret "$SERVICE-database-url" "${DATABASE_URL:-}"
  secret "$SERVICE-api-key" "$(openssl rand -hex 24)"
  grant "serviceAccount:$runner" roles/secretmanager.secretAccessor secrets "$SERVICE-database-url"
  grant "serviceAccount:$runner" roles/secretmanager.secretAccessor secrets "$SERVICE-api-key"
}

create_roles() {
  local role
  for role in roles/run.developer roles/run.invoker roles/logging.logWriter; do
    grant "serviceAccount:$account" "$role" projects "$PROJECT"
  done
  grant "serviceAccount:$account" roles/iam.serviceAccountUser "iam service-accounts" "$runner"
  grant "serviceAccount:$account" roles/iam.serviceAccountTokenCreator "iam service-accounts" "$account"
}

pool_state() { # ACTIVE, DELETED for 30 days after its deletion, or nothing
  gc iam workload-identity-pools describe "$SERVICE-github" --location=global --format='value(state)' 2>/dev/null || true
}

provider_there() {
  there iam workload-identity-pools providers describe github --location=global --workload-identity-pool="$SERVICE-github"
}

federated() { [ "$(pool_state)" = ACTIVE ] && provider_there; }

# GitHub's workflows of this one repository and of $GITHUB_BRANCH act as $account, without any key. The numbers of owner and
# repository never change; their names, and since July 2026 the token's subject, do.
create_federation() {
  local ids number
  if [ -z "${GITHUB_OWNER_ID:-}" ] || [ -z "${GITHUB_REPOSITORY_ID:-}" ]; then
    ids=$(curl -fsS --max-time 20 "https://api.github.com/repos/${GITHUB_REPOSITORY:?is not set, e.g. me/forecasts}" |
      python3 -c 'import json, sys; r = json.load(sys.stdin); print(r["owner"]["id"], r["id"])') ||
      { echo "set GITHUB_OWNER_ID and GITHUB_REPOSITORY_ID: gh api repos/$GITHUB_REPOSITORY --jq '.owner.id, .id'" >&2; exit 2; }
    read -r GITHUB_OWNER_ID GITHUB_REPOSITORY_ID <<<"$ids"
  fi
  case $(pool_state) in
    '') change iam workload-identity-pools create "$SERVICE-github" --location=global --display-name="$SERVICE: GitHub" ;;
    DELETED) change iam workload-identity-pools undelete "$SERVICE-github" --location=global ;;
  esac
  provider_there ||
    change iam workload-identity-pools providers create-oidc github --location=global --workload-identity-pool="$SERVICE-github" \
      --issuer-uri=https://token.actions.githubusercontent.com \
      --attribute-mapping=google.subject=assertion.sub,attribute.repository_id=assertion.repository_id \
      --attribute-condition="assertion.repository_owner_id == '$GITHUB_OWNER_ID' && assertion.repository_id == '$GITHUB_REPOSITORY_ID' && assertion.ref == 'refs/heads/$GITHUB_BRANCH'"
  number=$(project_number)
  grant "principalSet://iam.googleapis.com/projects/$number/locations/global/workloadIdentityPools/$SERVICE-github/attribute.repository_id/$GITHUB_REPOSITORY_ID" \
    roles/iam.workloadIdentityUser "iam service-accounts" "$account"
  provider=projects/$number/locations/global/workloadIdentityPools/$SERVICE-github/providers/github
}

create_build() {
  local action repository=projects/$PROJECT/locations/$REGION/connections/$SERVICE/repositories/$SERVICE
  grant "$(build_agent)" roles/secretmanager.admin projects "$PROJECT"
  grant "serviceAccount:$account" roles/cloudbuild.builds.editor projects "$PROJECT" # the workflow starts the trigger
  grant "serviceAccount:$account" roles/iam.serviceAccountUser "iam service-accounts" "$account"
  there builds connections describe "$SERVICE" --region="$REGION" ||
    change builds connections create github "$SERVICE" --region="$REGION"
  action=$(gc builds connections describe "$SERVICE" --region="$REGION" --format='value(installationState.actionUri)' 2>/dev/null || true)
  if [ -n "$action" ]; then
    echo "Let Google see the repository: open $action and then run this again."
    return
  fi
  there builds repositories describe "$SERVICE" --connection="$SERVICE" --region="$REGION" ||
    change builds repositories create "$SERVICE" --connection="$SERVICE" --region="$REGION" \
      --remote-uri="https://github.com/${GITHUB_REPOSITORY:?is not set}.git"
  there builds triggers describe "$SERVICE" --region="$REGION" ||
    change builds triggers create github --name="$SERVICE" --region="$REGION" --repository="$repository" \
      --branch-pattern="^$GITHUB_BRANCH\$" --build-config=cloudbuild.yaml --service-account="projects/$PROJECT/serviceAccounts/$account" \
      --substitutions="_REGION=$REGION,_SERVICE=$SERVICE${CLOUD_SQL:+,_CLOUD_SQL_INSTANCE=$PROJECT:$REGION:$SERVICE}"
}

create_ping() {
  there scheduler jobs describe "$SERVICE-hourly" --location="$REGION" ||
    change scheduler jobs create http "$SERVICE-hourly" --location="$REGION" --schedule='17 * * * *' --time-zone=UTC \
      --uri="https://api.github.com/repos/${GITHUB_REPOSITORY:?is not set}/actions/workflows/update_real_data.yml/dispatches" \
      --http-method=POST --message-body="{\"ref\":\"$GITHUB_BRANCH\"}" --attempt-deadline=30s \
      --flags-file=<(printf -- '--headers:\n  Accept: application/vnd.github+json\n  Authorization: "Bearer %s"\n' "$PING_TOKEN")
}

create() {
  local provider='' target=cloud-run
  create_apis
  create_accounts
  create_registry
  create_database
  create_roles
  create_federation
  if [ -n "${CLOUD_BUILD:-}" ]; then create_build; target=cloud-build; fi
  if [ -n "${PING_TOKEN:-}" ]; then create_ping; fi
  if ((changes == 0)); then echo "nothing to change"; fi
  echo
  echo "Set these variables of the GitHub repository (Settings, Secrets and variables, Actions, Variables):"
  printf '    %s\n' "DEPLOY_TARGET=$target" DEPLOY_WORKFLOW=deploy_cloud_run.yml "GCP_PROJECT=$PROJECT" "GCP_REGION=$REGION" \
    "GCP_SERVICE=$SERVICE" "GCP_PROVIDER=$provider" ${CLOUD_SQL:+"GCP_CLOUD_SQL_INSTANCE=$PROJECT:$REGION:$SERVICE"}
}

status() {
  local absent=0
  look() { # look LABEL COMMAND...
    if "${@:2}"; then echo "there    $1"; else echo "missing  $1"; absent=1; fi
  }
  look "service account, deploys: $account" there iam service-accounts describe "$account"
  look "service account, runs: $runner" there iam service-accounts describe "$runner"
  look "image repository" there artifacts repositories describe "$SERVICE" --location="$REGION"
  look "secret $SERVICE-database-url" filled "$SERVICE-database-url"
  look "secret $SERVICE-api-key" filled "$SERVICE-api-key"
  look "GitHub's identity" federated
  look "service on Cloud Run (the first deployment makes it)" there run services describe "$SERVICE" --region="$REGION"
  if [ -n "${CLOUD_SQL:-}" ]; then look "Cloud SQL server" there sql instances describe "$SERVICE"; fi
  if [ -n "${CLOUD_BUILD:-}" ]; then look "Cloud Build trigger" there builds triggers describe "$SERVICE" --region="$REGION"; fi
  if [ -n "${PING_TOKEN:-}" ]; then look "hourly ping" there scheduler jobs describe "$SERVICE-hourly" --location="$REGION"; fi
  return "$absent"
}

# remove WORDS...: delete what the words before "delete" describe, if it is there
remove() {
  if there "${@/#delete/describe}"; then change "$@"; fi
}

destroy() {
  local role agent
  if [ -z "$yes$dry_run" ]; then
    echo "this deletes the service, its images and its secrets; say so: deploy/gcp.sh destroy --yes" >&2
    exit 2
  fi
  remove scheduler jobs delete "$SERVICE-hourly" --location="$REGION"
  remove builds triggers delete "$SERVICE" --region="$REGION"
  remove builds repositories delete "$SERVICE" --connection="$SERVICE" --region="$REGION"
  remove builds connections delete "$SERVICE" --region="$REGION"
  remove run services delete "$SERVICE" --region="$REGION"
  remove artifacts repositories delete "$SERVICE" --location="$REGION"
  remove secrets delete "$SERVICE-database-url"
  remove secrets delete "$SERVICE-api-key"
  if [ "$(pool_state)" = ACTIVE ]; then
    change iam workload-identity-pools delete "$SERVICE-github" --location=global
  fi
  for role in roles/run.developer roles/run.invoker roles/logging.logWriter roles/cloudbuild.builds.editor; do
    revoke "serviceAccount:$account" "$role"
  done
  revoke "serviceAccount:$runner" roles/cloudsql.client
  remove iam service-accounts delete "$account"
  remove iam service-accounts delete "$runner"
  if there sql instances describe "$SERVICE"; then
    echo "The Cloud SQL server $SERVICE holds your data and stays. To delete it:"
    echo "    gcloud sql instances patch $SERVICE --no-deletion-protection && gcloud sql instances delete $SERVICE"
  fi
  agent=$(build_agent)
  if holds "$agent" roles/secretmanager.admin projects get-iam-policy "$PROJECT"; then
    echo "Cloud Build may still manage secrets, which other connections of this project need. To end it:"
    echo "    gcloud projects remove-iam-policy-binding $PROJECT --member=$agent --role=roles/secretmanager.admin --condition=None"
  fi
  if ((changes == 0)); then echo "nothing to delete"; fi
}

revoke() {
  if holds "$1" "$2" projects get-iam-policy "$PROJECT"; then
    change projects remove-iam-policy-binding "$PROJECT" --member="$1" --role="$2" --condition=None
  fi
}

"$command"
