/** By which clouds let their machines find the metadata service; it holds credentials of the machine itself. */
const metadataNames = [
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.tencentyun.com',
];

/** Whether the name of a host stands for a cloud's metadata service, whatever DNS says. */
export function isMetadataName(host: string): boolean {
  return metadataNames.includes(host.toLowerCase().replace(/\.$/, ''));
}
