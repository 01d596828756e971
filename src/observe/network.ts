/** The network an address is in, for counting by network what single addresses are too many for. */

/** "192.0.2.0/24" or "2001:db8:1:2::/64": what one site usually has. The text itself for what is no address. */
export function networkOf(address: string): string {
  if (!address.includes(':')) {
    const bytes = address.split('.');
    return bytes.length === 4 ? `${bytes.slice(0, 3).join('.')}.0/24` : address;
  }
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) while (groups.length < 8 - groupCount(tail)) groups.push('0');
  const network = [...groups, ...(tail ?? '').split(':')].slice(0, 4).map((group) => {
    return group === '' ? '0' : group.toLowerCase().replace(/^0+(?=.)/, '');
  });
  while (network.at(-1) === '0') network.pop();
  return `${network.join(':')}::/64`;
}

/** A trailing IPv4 address stands for two groups. */
function groupCount(text: string): number {
  return text === '' ? 0 : text.split(':').length + (text.includes('.') ? 1 : 0);
}
