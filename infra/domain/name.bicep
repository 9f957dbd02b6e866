metadata description = 'Binds a name to the app, with a certificate or, before there is one, without.'

@description('The function app.')
param functionAppName string
@description('The name.')
param publicHost string
@description('The thumbprint of its certificate, or empty.')
param thumbprint string

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName

  resource binding 'hostNameBindings' = {
    name: publicHost
    properties: {
      hostNameType: 'Verified'
      customHostNameDnsRecordType: 'CName'
      sslState: empty(thumbprint) ? 'Disabled' : 'SniEnabled'
      thumbprint: empty(thumbprint) ? null : thumbprint
    }
  }
}
