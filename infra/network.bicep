metadata description = 'A virtual network through which the app reaches both storage accounts, which then answer nobody else. Only with privateNetworking.'

@description('The region.')
param location string
@description('Tags of all resources.')
param tags object
@description('The virtual network.')
param virtualNetworkName string
@description('Its addresses, as a CIDR block of at least 512.')
param addressPrefix string
@description('The account of images and rows.')
param imagesAccountName string
@description('The account of the Functions host.')
param hostAccountName string

resource images 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: imagesAccountName
}

resource host 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostAccountName
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: virtualNetworkName
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 0)
          // What Flex Consumption asks for. One app a subnet.
          delegations: [{ name: 'app', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 1)
          // Nothing in it calls anybody.
          defaultOutboundAccess: false
        }
      }
    ]
  }
}

var services = ['blob', 'queue', 'table']

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for service in services: {
    name: 'privatelink.${service}.${environment().suffixes.storage}'
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (service, i) in services: {
    parent: zones[i]
    name: virtualNetworkName
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

var endpoints = [
  for i in range(0, 6): {
    account: i < 3 ? 'images' : 'host'
    service: i % 3
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for (endpoint, i) in endpoints: {
    name: 'pep-${endpoint.account}-${services[endpoint.service]}'
    location: location
    tags: tags
    properties: {
      subnet: { id: '${network.id}/subnets/endpoints' }
      privateLinkServiceConnections: [
        {
          name: services[endpoint.service]
          properties: {
            privateLinkServiceId: i < 3 ? images.id : host.id
            groupIds: [services[endpoint.service]]
          }
        }
      ]
    }
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (endpoint, i) in endpoints: {
    parent: privateEndpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: services[endpoint.service]
          properties: { privateDnsZoneId: zones[endpoint.service].id }
        }
      ]
    }
  }
]

@description('The subnet of the app.')
output appSubnetId string = '${network.id}/subnets/app'
