metadata description = 'What wakes somebody: blobs that failed, events that were lost or late, answers that were our fault.'

@description('The region of the rules on logs.')
param location string
@description('Tags of all resources.')
param tags object
@description('Where alerts are mailed to; empty: nowhere.')
param email string
@description('The account of images and rows.')
param imagesAccountName string
@description('The Event Grid system topic.')
param topicName string
@description('The log workspace\'s resource id.')
param workspaceId string

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' existing = {
  name: '${imagesAccountName}/default'
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-images'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'images'
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

var onMetrics = [
  {
    name: 'poison-new'
    description: 'A blob failed five times: docs/operate.md, "Drain the poison queue".'
    severity: 2
    scope: queues.id
    namespace: 'Microsoft.Storage/storageAccounts/queueServices'
    // The only messages in this account are the host's, for blobs that failed.
    metric: 'Transactions'
    dimensions: [
      { name: 'ApiName', operator: 'Include', values: ['PutMessage'] }
      { name: 'ResponseType', operator: 'Include', values: ['Success'] }
    ]
    aggregation: 'Total'
    threshold: 0
    window: 'PT5M'
    frequency: 'PT5M'
  }
  {
    name: 'poison-left'
    description: 'The poison queue is not empty: docs/operate.md, "Drain the poison queue".'
    severity: 3
    scope: queues.id
    namespace: 'Microsoft.Storage/storageAccounts/queueServices'
    metric: 'QueueMessageCount'
    dimensions: []
    aggregation: 'Average'
    threshold: 0
    // Azure counts once a day.
    window: 'P1D'
    frequency: 'PT1H'
  }
  {
    name: 'events-failing'
    description: 'The function app does not take events; they are tried for a day: docs/operate.md, "Lost events".'
    severity: 2
    scope: topic.id
    namespace: 'Microsoft.EventGrid/systemTopics'
    metric: 'DeliveryAttemptFailCount'
    dimensions: []
    aggregation: 'Total'
    threshold: 20
    window: 'PT15M'
    frequency: 'PT5M'
  }
  {
    name: 'events-dropped'
    description: 'An event was given up, and could not be kept: docs/operate.md, "Lost events".'
    severity: 1
    scope: topic.id
    namespace: 'Microsoft.EventGrid/systemTopics'
    metric: 'DroppedEventCount'
    dimensions: []
    aggregation: 'Total'
    threshold: 0
    window: 'PT5M'
    frequency: 'PT5M'
  }
]

resource metricAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for rule in onMetrics: {
    name: 'images-${rule.name}'
    location: 'global'
    tags: tags
    properties: {
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [rule.scope]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: rule.name
            metricNamespace: rule.namespace
            metricName: rule.metric
            dimensions: rule.dimensions
            timeAggregation: rule.aggregation
            operator: 'GreaterThan'
            threshold: rule.threshold
          }
        ]
      }
      actions: empty(email) ? [] : [{ actionGroupId: mail.id }]
    }
  }
]

var onLogs = [
  {
    name: 'server-errors'
    description: 'More than 1 % of the answers of the last 15 minutes, and at least five, were 5xx.'
    severity: 2
    // Each answer is counted by the app's own metric, and is a request of the host, or of host and worker, in one trace. What the
    // host answered when it had no app to ask is only the latter. So the two are counted apart, and the worse of them counts.
    query: '''
      union isfuzzy=true
        (AppMetrics
          | where Name == 'images.request.duration'
          | project By = 'app', Answers = ItemCount, Status = toint(Properties['http.response.status_code'])),
        (AppRequests
          | where ResultCode matches regex '^[1-5][0-9][0-9]$'
          | summarize Answers = max(ItemCount), Status = max(toint(ResultCode)) by OperationId
          | project By = 'host', Answers, Status)
      | summarize Total = sum(Answers), Errors = sumif(Answers, Status >= 500) by By
      | project Measured = iff(Errors < 5, 0.0, 100.0 * Errors / Total)
    '''
    operator: 'GreaterThan'
    threshold: 1
    window: 'PT15M'
    frequency: 'PT5M'
  }
  {
    name: 'ingest-late'
    description: 'The blobs that were taken in during the last 15 minutes had landed more than five minutes before, on average.'
    severity: 2
    query: '''
      AppMetrics
      | where Name == 'images.ingest.lag'
      | summarize Seconds = sum(Sum), Blobs = sum(ItemCount)
      | where Blobs > 0
      | project Measured = Seconds / Blobs
    '''
    operator: 'GreaterThan'
    threshold: 300
    window: 'PT15M'
    frequency: 'PT5M'
  }
  {
    name: 'events-dead'
    description: 'A sweep could not look again at what an undelivered event names: docs/operate.md, "Lost events".'
    severity: 1
    query: '''
      AppMetrics
      | where Name == 'images.sweep.items' and Properties['kind'] == 'deadlettersleft'
      | summarize Measured = sum(Sum)
    '''
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT2H'
    frequency: 'PT15M'
  }
  {
    name: 'sweep-missing'
    description: 'No sweep was completed for a day: docs/operate.md, "Run the sweeper now".'
    severity: 2
    // No rows at all are a count of 0.
    query: '''
      AppMetrics
      | where Name == 'images.sweep.items' and Properties['kind'] == 'sweeps'
      | summarize Measured = count()
    '''
    operator: 'LessThan'
    threshold: 1
    window: 'P1D'
    frequency: 'PT1H'
  }
]

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in onLogs: {
    name: 'images-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'images-${rule.name}'
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      autoMitigate: true
      // A new workspace may not know a table before its first row.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: 'Measured'
            timeAggregation: 'Maximum'
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: empty(email) ? [] : [mail.id] }
    }
  }
]

@description('Where alerts go; empty: nowhere.')
output actionGroupId string = empty(email) ? '' : mail.id
