// The parser speaks to programmers, and its sentences change with its releases; its codes are kept.
const WORDS: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias (*name) cannot have an anchor or a tag of its own',
  BAD_ALIAS: 'an alias (*name) is not well formed',
  BAD_COLLECTION_TYPE: 'a tag does not fit what it stands before',
  BAD_DIRECTIVE: 'a line that begins with % is not known',
  BAD_DQ_ESCAPE: 'a backslash in double quotes begins nothing known; write two of them, or use single quotes',
  BAD_INDENT: 'the indentation is wrong, or a bracket is not closed',
  BAD_PROP_ORDER: 'an anchor or a tag stands in the wrong place',
  BAD_SCALAR_START: 'a text begins with a character that is reserved; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a second "key: value" stands on the line of the first; put a text with ": " in quotes',
  BLOCK_IN_FLOW: 'indented lines cannot stand within brackets',
  DUPLICATE_KEY: 'a key is given twice',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'a bracket, a quote, a comma, a colon or a space is missing',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines, or a colon is missing behind it',
  MULTIPLE_ANCHORS: 'a value has two anchors',
  MULTIPLE_DOCS: 'a second document begins here',
  MULTIPLE_TAGS: 'a value has two tags',
  NON_STRING_KEY: 'a key is not a plain word',
  TAB_AS_INDENT: 'a tab stands in the indentation; use spaces',
  TAG_RESOLVE_FAILED: 'a tag (!name) is not known',
  UNEXPECTED_TOKEN: 'something stands here that cannot follow what is before it',
}

/** Says in words for the author of a YAML file what the error of its parser with this code is about. */
export function yamlWords(code: string): string {
  return WORDS[code] ?? 'the file cannot be read on from here'
}
