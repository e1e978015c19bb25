#!/usr/bin/env bash
# A new task definition on ECS Fargate: rolled out beside the old tasks, tested, kept or taken back.
#
#     deploy/aws/ecs.sh release IMAGE   roll out; ECS itself goes back when the new tasks do not become healthy
#     deploy/aws/ecs.sh smoke           is $SERVICE_URL ready, and does it serve the champions of this checkout?
#     deploy/aws/ecs.sh keep            remember the version before as the way back
#     deploy/aws/ecs.sh undo            back to the version before the release that has just failed its smoke test
#     deploy/aws/ecs.sh rollback        back to the remembered version; the next deployment serves the newest again
#
# Needs aws, logged in, and python3. Environment: CLUSTER, SERVICE, and SERVICE_URL for smoke. deploy/aws/README.md says
# what must be there before.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${CLUSTER:=actioncast}" "${SERVICE:=actioncast}"
before=${RUNNER_TEMP:-/tmp}/actioncast-before # written by release, read by keep and undo
umask 077                                     # beside it the task definition, which may hold what is not for all

of_service() {
  aws ecs describe-services --cluster "$CLUSTER" --services "$SERVICE" --query "services[0].$1" --output text
}

roll_out() { # roll_out TASK_DEFINITION: start it, wait, and make sure that it is what runs
  local wanted=$1 running
  aws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" --task-definition "$wanted" --query service.status --output text \
    --deployment-configuration 'deploymentCircuitBreaker={enable=true,rollback=true},minimumHealthyPercent=100,maximumPercent=200'
  aws ecs wait services-stable --cluster "$CLUSTER" --services "$SERVICE"
  running=$(of_service taskDefinition)
  [ "$running" = "$wanted" ] || { echo "its tasks did not become healthy: ECS went back to $running" >&2; return 1; }
  echo "$wanted serves"
}

release() {
  local old new
  old=$(of_service taskDefinition)
  echo "$old" >"$before"
  aws ecs describe-task-definition --task-definition "$old" --query taskDefinition --output json |
    python3 deploy/aws/task_definition.py "$1" >"$before.json"
  new=$(aws ecs register-task-definition --cli-input-json "file://$before.json" --query taskDefinition.taskDefinitionArn --output text)
  roll_out "$new"
}

smoke() { python3 -m deploy.smoke "${SERVICE_URL:?is not set}" --champions model; }

keep() {
  aws ecs tag-resource --resource-arn "$(of_service serviceArn)" --tags "key=previous,value=$(cat "$before")"
}

undo() { roll_out "$(cat "$before")"; }

rollback() {
  local old
  old=$(aws ecs list-tags-for-resource --resource-arn "$(of_service serviceArn)" --query "tags[?key=='previous'].value" --output text)
  [ -n "$old" ] || { echo "no release has remembered a version to go back to" >&2; return 1; }
  roll_out "$old"
}

case "${1:-}" in
  release) release "${2:?IMAGE is missing}" ;;
  smoke | keep | undo | rollback) "$1" ;;
  *) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
