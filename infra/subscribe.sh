#!/bin/sh
# Lets Event Grid call the deployed app: deploys subscription.bicep. azd runs this after every deployment, docs/deploy.md
# says how to do it by hand. Doing it again changes nothing.
set -eu
: "${AZURE_SUBSCRIPTION_ID:?}" "${AZURE_RESOURCE_GROUP:?}" "${IMAGES_FUNCTION_APP:?}" "${IMAGES_EVENT_TOPIC:?}" "${IMAGES_URL:?}"
cd "$(dirname "$0")"

if ! az account show --subscription "$AZURE_SUBSCRIPTION_ID" --output none; then
  echo 'subscribe: install the Azure CLI and sign in to this subscription (az login), then: azd hooks run postdeploy' >&2
  exit 1
fi

# What waiting does not mend, by Azure's own code: the reason, and what to do.
remedy() {
  case $1 in
    *AuthorizationFailed*) echo "you may not do this. It takes Contributor on the resource group $AZURE_RESOURCE_GROUP; of a right that you were given just now it may take minutes to hear" ;;
    *RequestDisallowedByPolicy*) echo 'a policy of the subscription forbids it; the text above names the policy. Ask whoever assigned it for an exemption' ;;
    *ScopeLocked*) echo 'a lock forbids it; the text above names the lock' ;;
    *MissingSubscriptionRegistration*) echo 'the subscription does not know Event Grid: az provider register --namespace Microsoft.EventGrid --wait' ;;
    *ResourceGroupNotFound* | *ParentResourceNotFound* | *SubscriptionNotFound*) echo 'the resources are not there, or in another subscription: azd provision, or step 1 of docs/deploy.md' ;;
    *InvalidAuthenticationToken* | *ExpiredAuthenticationToken* | *'az login'*) echo 'your sign-in has ended: az login' ;;
    *) return 1 ;;
  esac
}

try=1
while :; do
  # A request wakes the app: its host makes the key when it first starts, and has to answer Event Grid's handshake.
  curl --silent --max-time 60 --output /dev/null "$IMAGES_URL/healthz" || true
  if error=$(az deployment group create --subscription "$AZURE_SUBSCRIPTION_ID" --resource-group "$AZURE_RESOURCE_GROUP" \
    --name subscription --template-file subscription.bicep \
    --parameters functionAppName="$IMAGES_FUNCTION_APP" topicName="$IMAGES_EVENT_TOPIC" --output none 2>&1); then
    echo "subscribe: blobs that land call $IMAGES_FUNCTION_APP now."
    exit 0
  fi
  if reason=$(remedy "$error"); then
    printf '%s\nsubscribe: %s. Then: azd hooks run postdeploy\n' "$error" "$reason" >&2
    exit 1
  fi
  if [ "$try" -ge 12 ]; then
    printf '%s\nsubscribe: given up. Once the app answers at %s/healthz: azd hooks run postdeploy\n' "$error" "$IMAGES_URL" >&2
    exit 1
  fi
  echo "subscribe: the app is not ready to be called (try $try of 12)."
  try=$((try + 1))
  sleep "${IMAGES_RETRY_SECONDS:-20}"
done
