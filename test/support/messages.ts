// What a client says to PostgreSQL, message by message.

export interface Message { readonly type: string, readonly body: string }

/** @param said what one connection has said, from its beginning; its first message, alone, has no type */
export function messagesOf (said: string): Message[] {
  const bytes = Buffer.from(said, 'latin1')
  const messages: Message[] = []
  for (let at = bytes.readInt32BE(0); at < bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
    messages.push({ type: String.fromCharCode(bytes[at]!), body: bytes.toString('latin1', at + 5, at + 1 + bytes.readInt32BE(at + 1)) })
  }
  return messages
}

/** The name of the statement that a Parse message makes, and its text. */
export function parsed ({ body }: Message): { name: string, text: string } {
  const [name, text] = body.split('\0')
  return { name: name!, text: text! }
}
