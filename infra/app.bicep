metadata description = 'The function app on Flex Consumption, its identity and what that identity may do.'

@description('The region.')
param location string
@description('Tags of all resources.')
param tags object
@description('The function app; its address begins with it.')
@maxLength(60)
param name string
@description('The Flex Consumption plan.')
param planName string
@description('The user-assigned identity.')
param identityName string
@description('The account of images and rows.')
param imagesAccountName string
@description('The account of the Functions host.')
param hostAccountName string
@description('Where the deployed package is kept, in the host\'s account.')
param packageContainerName string
@description('The Application Insights component.')
param insightsName string
@description('The log workspace\'s resource id.')
param workspaceId string
@description('Most on-demand instances of each function group.')
param maximumInstanceCount int
@description('Memory of one instance, in MB.')
param instanceMemoryMB int
@description('Requests that one instance serves at once.')
param httpConcurrency int
@description('The longest body of a request, in MiB.')
param requestBodyLimitMiB int
@description('Instances that are kept running for requests.')
param alwaysReadyHttp int
@description('Instances that are kept running for blobs.')
param alwaysReadyBlob int
@description('Whether an update replaces instances one after the other.')
param rollingUpdates bool
@description('Whether instances are spread over availability zones.')
param zoneRedundant bool
@description('The virtual network whose subnet app the app is in; empty: none.')
param virtualNetworkName string
@description('The name that clients use, or empty.')
param publicHost string
@description('What the control plane calls this installation.')
param metroName string
@description('The code that clients choose it by.')
param metroCode string
@description('Where it is, as two capital letters, or empty.')
param metroCountry string
@description('Other metros that the control plane lists.')
param otherMetros string
@description('Requests without a login for official images a minute from one address; 0: none.')
param anonymousRequestsPerMinute int
@description('When the sweeper runs (NCRONTAB, UTC).')
param sweepSchedule string
@description('How long the sweeper keeps a pushed blob that nothing needs.')
param sweepAfterPush string
@description('The same for a dropped blob.')
param sweepAfterDrop string
@description('Within what time the sweeper looks at each namespace, whether anything was noted of it or not.')
param sweepWalk string
@description('The most requests that one run of the sweeper spends on that.')
param sweepWalkRequests int
@description('Whether pulls of blobs are redirected to storage.')
param redirectPulls bool

resource images 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: imagesAccountName
}

resource host 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostAccountName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: identityName
  location: location
  tags: tags
}

// Blobs: layouts, uploads and derived files, and the user delegation key behind pulls that are redirected.
// Tables: rows and tokens. Queues: the host puts a blob that failed five times into the poison queue beside the blob.
// Azure's page recommends Blob Data Owner for a blob trigger; what that has beyond Contributor (ownership and access lists
// of paths, index tags) neither trigger nor library uses.
var imagesRoles = [
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
]

// What Azure's page asks for the host's own account, Owner included: keys, leases, receipts and the package (blobs), the queue between
// the Event Grid webhook and the blob trigger, diagnostic events (tables).
var hostRoles = [
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
]

resource onImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in imagesRoles: {
    name: guid(images.id, identity.id, role)
    scope: images
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource onHost 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in hostRoles: {
    name: guid(host.id, identity.id, role)
    scope: host
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
    }
  }
]

var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource onInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, identity.id, monitoringMetricsPublisher)
  scope: insights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// The host reads a body that has a length before it asks the app: into a file, and into memory as text, which takes four
// times its length. Past what an instance has, it would be killed with all its requests. docs/settings.md has the reasons,
// and tests compute the same.
var hostAndWorkerMiB = 768
var temporaryMiB = 700
var bodiesMiB = httpConcurrency * requestBodyLimitMiB
var needsMiB = bodiesMiB * 4 + hostAndWorkerMiB
var bodiesFit = needsMiB <= instanceMemoryMB && bodiesMiB <= temporaryMiB

// With zone redundancy Azure takes no 1: it keeps two in any case.
var fewest = zoneRedundant ? 2 : 1
var alwaysReady = [
  { name: 'http', instanceCount: alwaysReadyHttp == 0 ? 0 : max(alwaysReadyHttp, fewest) }
  { name: 'blob', instanceCount: alwaysReadyBlob == 0 ? 0 : max(alwaysReadyBlob, fewest) }
]

// The types that Bicep has do not know it yet; the service does since API version 2023-12-01.
var updates = rollingUpdates ? { siteUpdateStrategy: { type: 'RollingUpdate' } } : {}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true, ...(zoneRedundant ? { zoneRedundant: true } : {}) }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  // azd looks for the name of the service of azure.yaml.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    siteConfig: { minTlsVersion: '1.2' }
    ...(empty(virtualNetworkName)
      ? {}
      : {
          virtualNetworkSubnetId: resourceId('Microsoft.Network/virtualNetworks/subnets', virtualNetworkName, 'app')
        })
    functionAppConfig: {
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstanceCount
        instanceMemoryMB: instanceMemoryMB
        triggers: {
          http: {
            perInstanceConcurrency: bodiesFit
              ? httpConcurrency
              : fail('${httpConcurrency} bodies of ${requestBodyLimitMiB} MiB do not fit an instance: with the host they may take ${needsMiB} of ${instanceMemoryMB} MB of memory, and ${bodiesMiB} of ${temporaryMiB} MiB of temporary files. Lower httpConcurrency or requestBodyLimitMiB.')
          }
        }
        alwaysReady: filter(alwaysReady, group => group.instanceCount > 0)
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${host.properties.primaryEndpoints.blob}${packageContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      ...any(updates)
    }
  }
  // The platform fetches the package, and the host starts, as this identity.
  dependsOn: [onHost]

  // Passwords for deployments are off: azd, az and func sign in with Entra. These three change the one site, which
  // takes one change at a time: each waits for the one before.
  resource noFtpPassword 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noScmPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
    dependsOn: [noFtpPassword]
  }

  // All that the app is given; docs/settings.md explains each. Flex Consumption refuses FUNCTIONS_WORKER_RUNTIME here.
  resource settings 'config' = {
    name: 'appsettings'
    properties: {
      APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
      // Beside the addresses: hosts of .NET 10 could fail to start on the addresses alone (azure-functions-host, issue 11787).
      AzureWebJobsStorage__accountName: host.name
      AzureWebJobsStorage__blobServiceUri: host.properties.primaryEndpoints.blob
      AzureWebJobsStorage__queueServiceUri: host.properties.primaryEndpoints.queue
      AzureWebJobsStorage__tableServiceUri: host.properties.primaryEndpoints.table
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identity.properties.clientId
      ImagesStorage__blobServiceUri: images.properties.primaryEndpoints.blob
      ImagesStorage__queueServiceUri: images.properties.primaryEndpoints.queue
      ImagesStorage__tableServiceUri: images.properties.primaryEndpoints.table
      ImagesStorage__credential: 'managedidentity'
      ImagesStorage__clientId: identity.properties.clientId
      // Event Grid delivers; Flex Consumption cannot run the twin that scans.
      'AzureWebJobs.BlobLandedPolling.Disabled': 'true'
      AzureWebJobsDisableHomepage: 'true'
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(requestBodyLimitMiB * 1048576)
      // The platform's own bound again, inside the host: whatever comes beyond it waits before its body is read.
      AzureFunctionsJobHost__extensions__http__maxConcurrentRequests: string(httpConcurrency)
      RedirectPulls: redirectPulls ? 'true' : 'false'
      MetroName: metroName
      MetroCode: metroCode
      MetroCountry: metroCountry
      OtherMetros: otherMetros
      RequestsPerMinute: '1200000'
      FailedLoginsPerMinute: '600'
      AnonymousRequestsPerMinute: string(anonymousRequestsPerMinute)
      ClientAddressHeader: ''
      TelemetryToConsole: 'false'
      SweepSchedule: sweepSchedule
      SweepAfterPush: sweepAfterPush
      SweepAfterDrop: sweepAfterDrop
      SweepWalk: sweepWalk
      SweepWalkRequests: string(sweepWalkRequests)
      OutageWait: '2m'
      ...(empty(publicHost) ? {} : { PublicHost: publicHost })
    }
    dependsOn: [noScmPassword, onImages, onInsights]
  }
}

resource appLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'host'
  scope: app
  // The host's log, which is there even when it cannot reach Application Insights.
  properties: { workspaceId: workspaceId, logs: [{ category: 'FunctionAppLogs', enabled: true }] }
}

@description('Where it answers.')
output hostName string = app.properties.defaultHostName
