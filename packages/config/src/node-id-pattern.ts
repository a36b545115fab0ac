/** What a node id looks like: it is part of file names and of messages, so it is short and plain. */
export const NODE_ID_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
