#!/usr/bin/env bash
# A new revision on Azure Container Apps: first beside the one that serves, then tested, then in front of it.
#
#     deploy/azure/container_apps.sh candidate IMAGE   a revision without traffic
#     deploy/azure/container_apps.sh smoke             is it ready, and does it serve the champions of this checkout?
#     deploy/azure/container_apps.sh promote           all traffic to it; the one before keeps the label "previous"
#     deploy/azure/container_apps.sh discard           stop a candidate that failed
#     deploy/azure/container_apps.sh rollback          all traffic to "previous"; the next deployment serves the newest again
#
# Needs az, logged in, and python3. Environment: APP, GROUP, and SUFFIX, the candidate's name (letters and digits).
# deploy/azure/README.md says what must be there before.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${APP:=actioncast}" "${GROUP:?is not set: the resource group}"
here=(--name "$APP" --resource-group "$GROUP")

serving() {
  az containerapp show "${here[@]}" --output tsv \
    --query "properties.configuration.ingress.traffic[?weight==\`100\`].revisionName | [0]"
}
newest() { echo "$APP--${SUFFIX:?is not set}"; }

candidate() {
  local old
  old=$(serving)
  # Traffic is tied to the old revision by name first: otherwise the new one would take it at once.
  if [ -n "$old" ]; then az containerapp ingress traffic set "${here[@]}" --revision-weight "$old=100" --output none; fi
  az containerapp update "${here[@]}" --image "$1" --revision-suffix "${SUFFIX:?is not set}" \
    --min-replicas 0 --max-replicas 4 --output none
  echo "$(newest) waits beside ${old:-nothing}"
}

smoke() {
  local address
  address=$(az containerapp revision show "${here[@]}" --revision "$(newest)" --query properties.fqdn --output tsv)
  case $address in http://*) ;; *) address=https://$address ;; esac
  python3 -m deploy.smoke "$address" --champions model
}

promote() {
  local old
  old=$(serving)
  az containerapp ingress traffic set "${here[@]}" --revision-weight "$(newest)=100" --output none
  if [ -n "$old" ] && [ "$old" != "$(newest)" ]; then
    az containerapp revision label add "${here[@]}" --revision "$old" --label previous --yes --output none
  fi
  echo "$(newest) serves; before it: ${old:-none}"
}

discard() { az containerapp revision deactivate "${here[@]}" --revision "$(newest)" --output none; }

rollback() {
  az containerapp ingress traffic set "${here[@]}" --label-weight previous=100 --output none
  echo "previous serves again, until the next deployment"
}

case "${1:-}" in
  candidate) candidate "${2:?IMAGE is missing}" ;;
  smoke | promote | discard | rollback) "$1" ;;
  *) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
