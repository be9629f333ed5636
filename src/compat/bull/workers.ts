/** What `CLIENT LIST` says of the connections whose names begin with `clientName`, under the queue's own name. */
export function parseClientList(list: string, clientName: string, queueName: string): Record<string, string>[] {
  return list.split('\n').map(parseClient).filter(({ name = '' }) => name.startsWith(clientName)).map((client) => ({ ...client, name: queueName }));
}

function parseClient(line: string): Record<string, string> {
  return Object.fromEntries(line.split(' ').map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
}
