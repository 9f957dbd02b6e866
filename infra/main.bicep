metadata description = 'ImagesFunctions: a serverless OCI image registry. Makes the resource group and everything in it but the event subscription, which needs the deployed code (subscription.bicep).'

targetScope = 'subscription'

@description('Names this installation; part of the names of all resources.')
@minLength(1)
@maxLength(32)
param environmentName string

@metadata({ azd: { type: 'location' } })
@allowed([
  'australiaeast'
  'australiasoutheast'
  'brazilsouth'
  'canadacentral'
  'centralindia'
  'centralus'
  'eastasia'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'italynorth'
  'japaneast'
  'koreacentral'
  'northcentralus'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'southindia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'ukwest'
  'westcentralus'
  'westeurope'
  'westus'
  'westus2'
  'westus3'
])
@description('The Azure region of all resources: one with Flex Consumption, as Azure\'s own samples listed them in 2025. `az functionapp list-flexconsumption-locations` says what has come since.')
param location string

@description('The resource group that is made.')
@maxLength(90)
param resourceGroupName string = 'rg-${environmentName}'

@description('Object id of the person, group or pipeline that makes tokens, drops images and drains the poison queue. Empty: nobody gets access to the data.')
param deployerPrincipalId string = ''

@description('What deployerPrincipalId is.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param deployerPrincipalType string = 'User'

@description('Where alerts are mailed to. Empty: they only show in the portal.')
param alertEmail string = ''

@description('Redundancy of the account that holds images and rows. Zone-redundant (ZRS) needs a region with availability zones.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS', 'Standard_RAGRS', 'Standard_RAGZRS'])
param storageSku string = 'Standard_ZRS'

@description('How long deleted and overwritten blobs, and deleted containers, can be restored, in days. They are billed that long.')
@minValue(1)
@maxValue(365)
param softDeleteDays int = 7

@description('Which requests to the images\' storage are logged, for audits. StorageRead is one entry a pull of a layer.')
param storageLogs ('StorageRead' | 'StorageWrite' | 'StorageDelete')[] = ['StorageDelete']

@description('Most on-demand instances of each function group; there are three: requests, blobs, the sweeper. Azure may exceed it for requests: docs/operate.md, "What it costs".')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Memory of one instance, in MB. More memory is also more CPU and network. It has to hold what httpConcurrency and requestBodyLimitMiB allow.')
@allowed([2048, 4096])
param instanceMemoryMB int = 4096

@description('Requests that one instance serves at once before another one is started. The Functions host may hold a body for each: docs/settings.md, "How long a body may be".')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 3

@description('The longest body of a request, in MiB. A longer layer is dropped into the container, or pushed through a local gateway. Past 200 Azure\'s front end ends it anyway.')
@minValue(8)
@maxValue(200)
param requestBodyLimitMiB int = 200

@description('Instances that are kept running for requests. 0: the first request after a quiet time waits for a start of some seconds.')
@minValue(0)
@maxValue(20)
param alwaysReadyHttp int = 0

@description('Instances that are kept running for blobs. 0: the event that starts an instance may be refused and then waits for the sweeper: docs/operate.md, "Lost events".')
@minValue(0)
@maxValue(20)
param alwaysReadyBlob int = 0

@description('Whether an update replaces instances one after the other and lets what runs complete. A preview of Azure\'s.')
param rollingUpdates bool = false

@description('What the control plane calls this installation, for people.')
param metroName string = 'Images'

@description('The code that clients choose it by, such as an airport code: lower-case letters and digits.')
@maxLength(16)
param metroCode string = 'img0'

@description('Where it is, as two capital letters (ISO 3166-1), or empty.')
@maxLength(2)
param metroCountry string = ''

@description('Other metros that the control plane lists: code, address, country (or -) and name of each, separated by spaces; metros by semicolons.')
param otherMetros string = ''

@description('Requests for official images that one address may send to one instance without a login, a minute. 0: a login is needed for everything.')
@minValue(0)
param anonymousRequestsPerMinute int = 0

@description('When the sweeper runs, as NCRONTAB in UTC: second, minute, hour, day, month, day of the week.')
param sweepSchedule string = '0 17 * * * *'

@description('How long the sweeper keeps a pushed blob that nothing needs, such as 24h.')
param sweepAfterPush string = '24h'

@description('The same for a blob that was dropped into the container: the rest of its image may come days later.')
param sweepAfterDrop string = '30d'

@description('Within what time the sweeper looks at each namespace, whether anything was noted of it or not: how long a lost event may stay unseen.')
param sweepWalk string = '24h'

@description('The most requests to storage that one run of the sweeper spends on that: docs/operate.md, "Lost events", says how many it takes. 0: none.')
@minValue(0)
@maxValue(10000000)
param sweepWalkRequests int = 10000

@description('Whether a pull of a blob is redirected to storage, with an address that reads this one blob for ten minutes. Without it, the app sends the bytes, and the front end ends an answer after 230 seconds.')
param redirectPulls bool = true

@description('How long logs and telemetry are kept, in days. The first 30 (90 for telemetry) are free.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('After this many GB of logs a day, the rest of the day is not recorded, and alerts on logs are blind. -1: no limit.')
@minValue(-1)
param logDailyCapGb int = 5

@description('Whether the storage accounts answer only to the app, through a virtual network that is made, to allowedAddresses and to Azure\'s trusted services. Pulls are not redirected then.')
param privateNetworking bool = false

@description('The addresses of that virtual network, as a CIDR block of at least 512.')
param virtualNetworkPrefix string = '10.44.0.0/16'

@description('With privateNetworking: public addresses, or CIDR blocks of them, from which images are dropped and tokens made.')
param allowedAddresses string[] = []

@description('Whether instances are spread over availability zones. Azure then keeps two running for each function group.')
param zoneRedundant bool = false

@description('The key vault of a key of yours that encrypts both storage accounts, such as https://example.vault.azure.net. Rows are encrypted by it only if it is given when the accounts are made.')
param encryptionVaultUri string = ''

@description('That key\'s name. Its newest version is used.')
param encryptionKeyName string = ''

@description('The resource id of a user-assigned identity with the role Key Vault Crypto Service Encryption User on that key.')
param encryptionIdentityId string = ''

@description('Whether the account of images and rows is locked against deletion.')
param lockStorage bool = false

@description('Whether /healthz is asked from five places, and an alert made of it.')
param availabilityTest bool = false

@description('Whether a workbook is made: requests, errors, ingest, storage and the sweeper on one page.')
param workbook bool = false

@description('The name that clients use instead of the app\'s own, such as images.example.com. It has to lead to the app: docs/deploy.md, "A name of your own".')
param publicHost string = ''

@description('Tags of all resources.')
param tags object = {}

// The first is how azd finds what it has made.
var allTags = union(tags, { 'azd-env-name': environmentName, application: 'ImagesFunctions' })
var token = toLower(uniqueString(subscription().id, resourceGroupName, environmentName, location))

// Named here, not by what the modules answer, so that a what-if can tell what would change before anything is there.
var names = {
  workspace: 'log-images-${token}'
  insights: 'appi-images-${token}'
  imagesAccount: 'stimages${token}'
  hostAccount: 'sthost${token}'
  identity: 'id-images-${token}'
  plan: 'plan-images-${token}'
  app: 'func-images-${token}'
  topic: 'evgt-images-${token}'
  network: 'vnet-images-${token}'
  packages: 'packages'
  deadLetters: 'deadletters'
}

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: resourceGroupName
  location: location
  tags: allTags
}

module monitoring 'monitoring.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    workspaceName: names.workspace
    insightsName: names.insights
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
  }
}

module storage 'storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    imagesAccountName: names.imagesAccount
    hostAccountName: names.hostAccount
    packageContainerName: names.packages
    deadLetterContainerName: names.deadLetters
    sku: storageSku
    // Nothing in it is precious: a deployment fills it again. But a host that is to outlive a zone needs it.
    hostSku: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
    isPrivate: privateNetworking
    allowedAddresses: allowedAddresses
    encryptionVaultUri: encryptionVaultUri
    encryptionKeyName: encryptionKeyName
    encryptionIdentityId: encryptionIdentityId
    isLocked: lockStorage
    softDeleteDays: softDeleteDays
    logs: storageLogs
    workspaceId: monitoring.outputs.workspaceId
    deployerPrincipalId: deployerPrincipalId
    deployerPrincipalType: deployerPrincipalType
  }
}

module network 'network.bicep' = if (privateNetworking) {
  scope: group
  params: {
    location: location
    tags: allTags
    virtualNetworkName: names.network
    addressPrefix: virtualNetworkPrefix
    imagesAccountName: names.imagesAccount
    hostAccountName: names.hostAccount
  }
  dependsOn: [storage]
}

module app 'app.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: names.app
    planName: names.plan
    identityName: names.identity
    imagesAccountName: names.imagesAccount
    hostAccountName: names.hostAccount
    packageContainerName: names.packages
    insightsName: names.insights
    workspaceId: monitoring.outputs.workspaceId
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    httpConcurrency: httpConcurrency
    requestBodyLimitMiB: requestBodyLimitMiB
    alwaysReadyHttp: alwaysReadyHttp
    alwaysReadyBlob: alwaysReadyBlob
    rollingUpdates: rollingUpdates
    sweepSchedule: sweepSchedule
    metroName: metroName
    metroCode: metroCode
    metroCountry: metroCountry
    otherMetros: otherMetros
    anonymousRequestsPerMinute: anonymousRequestsPerMinute
    sweepAfterPush: sweepAfterPush
    sweepAfterDrop: sweepAfterDrop
    sweepWalk: sweepWalk
    sweepWalkRequests: sweepWalkRequests
    // Whoever pulls does not reach the account.
    redirectPulls: redirectPulls && !privateNetworking
    zoneRedundant: zoneRedundant
    virtualNetworkName: privateNetworking ? names.network : ''
    publicHost: publicHost
  }
  dependsOn: [storage, network]
}

module events 'events.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    topicName: names.topic
    imagesAccountName: names.imagesAccount
    deadLetterContainerName: names.deadLetters
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [storage]
}

module alerts 'alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    email: alertEmail
    imagesAccountName: names.imagesAccount
    topicName: names.topic
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [storage, events]
}

module availability 'availability.bicep' = if (availabilityTest) {
  scope: group
  params: {
    location: location
    tags: allTags
    host: empty(publicHost) ? app.outputs.hostName : publicHost
    insightsName: names.insights
    actionGroupId: alerts.outputs.actionGroupId
  }
}

module page 'workbook.bicep' = if (workbook) {
  scope: group
  params: {
    location: location
    tags: allTags
    workspaceName: names.workspace
    imagesAccountName: names.imagesAccount
  }
  dependsOn: [monitoring, storage]
}

@description('For the steps after this one, and where azd looks.')
output AZURE_RESOURCE_GROUP string = group.name
@description('The function app; azd deploys the code to it.')
output IMAGES_FUNCTION_APP string = names.app
@description('Where the registry answers.')
output IMAGES_URL string = 'https://${app.outputs.hostName}'
@description('The Event Grid topic that subscription.bicep subscribes to.')
output IMAGES_EVENT_TOPIC string = names.topic
@description('The account that holds images and rows.')
output IMAGES_STORAGE_ACCOUNT string = names.imagesAccount
@description('For commands of functions/Local that work on the cloud account: they read it as it is named here.')
output ImagesStorage__blobServiceUri string = storage.outputs.blobServiceUri
@description('As above.')
output ImagesStorage__tableServiceUri string = storage.outputs.tableServiceUri
