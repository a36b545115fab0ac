// Fails where a line of prose, in Markdown or in a comment, has 120 characters or more and could be broken earlier.
// With `--write` it breaks the paragraphs that have such lines. Tables, code and what has no blank stay as they are.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const LONGEST = 119
/** Longer code is broken at its blanks, too. */
const LONGEST_WORD = 80
/** What would mean something else at the beginning of a line. */
const MARKUP = /^(?:[-+*>|=<@]|#+$|\d+[.)]$|~~~|```)/
const write = process.argv.includes('--write')
process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', '*.md', '*.ts', '*.mjs'])
const files = wanted.length > 0 ? wanted : listed.toString().split('\n').filter(isOurs)
let long = 0
for (const file of files) {
  const text = readFileSync(file, 'utf8')
  const broken = file.endsWith('.md')
    ? breakMarkdown(text.split('\n'), LONGEST)
    : breakComments(text.split('\n'))
  const result = broken.join('\n')
  if (result === text) continue
  if (write) {
    writeFileSync(file, result)
    continue
  }
  long += 1
  console.error(`${file}: has lines of prose with more than ${LONGEST} characters`)
}
if (long > 0) {
  console.error('Break them: node scripts/prose.mjs --write')
  process.exitCode = 1
}

/** A note of changes is one paragraph of a changelog, whatever its length. */
function isOurs(file) {
  return file !== '' && existsSync(file) && !file.endsWith('CHANGELOG.md') && !file.startsWith('.changeset/')
}

/** Breaks the paragraphs of Markdown that have a line which is too long. */
function breakMarkdown(lines, longest) {
  const result = []
  let paragraph = []
  let fence = null
  const end = () => {
    result.push(...breakParagraph(paragraph, longest))
    paragraph = []
  }
  for (const line of lines) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    if (mark !== undefined || fence !== null) {
      end()
      result.push(line)
      if (fence === null) fence = mark
      else if (mark?.startsWith(fence)) fence = null
    } else if (/^\s*($|\||<|>|#|@|\[[^\]]+\]:)/.test(line)) {
      end()
      result.push(line)
    } else {
      if (/^\s*([-*+]|\d+\.)\s/.test(line)) end()
      paragraph.push(line)
    }
  }
  end()
  return result
}

function breakParagraph(lines, longest) {
  if (!lines.some((line) => line.length > longest)) return lines
  // Two blanks or a backslash at the end of a line are a break that is meant.
  if (lines.some((line) => /(?: {2}|\\)$/.test(line))) return lines
  const [first, ...others] = lines
  const head = /^\s*(?:(?:[-*+]|\d+\.)\s+(?:\[[ x]\]\s+)?)?/.exec(first)[0]
  const indent = others.length > 0 ? /^\s*/.exec(others[0])[0] : ' '.repeat(head.length)
  const words = wordsOf([first.slice(head.length), ...others.map((line) => line.trim())].join(' '))
  const broken = [head + words[0]]
  for (const word of words.slice(1)) {
    const last = broken.length - 1
    if (`${broken[last]} ${word}`.length <= longest) broken[last] += ` ${word}`
    else broken.push(indent + word)
  }
  return broken
}

/**
 * Splits at blanks, but in no code and in no link, and before nothing that would mean something else at the beginning
 * of a line.
 */
function wordsOf(text) {
  const words = []
  for (const [word] of text.matchAll(/(?:`+[^`]*`+|!?\[[^\]]*\]\([^)]*\)|\{@link [^}]*\}|\S)+/g)) {
    const parts = word.length > LONGEST_WORD ? word.split(' ') : [word]
    for (const part of parts) {
      if (words.length > 0 && MARKUP.test(part)) words[words.length - 1] += ` ${part}`
      else words.push(part)
    }
  }
  return words
}

/** Breaks comments that have a line which is too long; each by the same rules as Markdown. */
function breakComments(lines) {
  const result = []
  for (let at = 0; at < lines.length; ) {
    const comment = commentAt(lines, at)
    if (comment === null) {
      result.push(lines[at])
      at += 1
      continue
    }
    const { length, open, prefix, close, texts } = comment
    const original = lines.slice(at, at + length)
    at += length
    if (!original.some((line) => line.length > LONGEST)) {
      result.push(...original)
      continue
    }
    const broken = breakMarkdown(texts, LONGEST - prefix.length).map((text) => (prefix + text).trimEnd())
    result.push(...(open === null ? [] : [open]), ...broken, ...(close === null ? [] : [close]))
  }
  return result
}

function commentAt(lines, at) {
  const line = lines[at]
  const indent = /^\s*/.exec(line)[0]
  const block = (texts, length) => ({
    open: `${indent}/**`,
    prefix: `${indent} * `,
    close: `${indent} */`,
    texts,
    length,
  })
  const single = /^\s*\/\*\* (.*) \*\/$/.exec(line)
  if (single !== null) return line.length > LONGEST ? block([single[1]], 1) : null
  if (line.trim() === '/**') {
    const end = lines.findIndex((other, index) => index > at && other.trim() === '*/')
    const inner = lines.slice(at + 1, end)
    if (end < 0 || !inner.every((other) => other.startsWith(`${indent} *`))) return null
    return block(
      inner.map((other) => other.slice(indent.length + 3)),
      end - at + 1,
    )
  }
  if (!/^\s*\/\/ /.test(line)) return null
  const texts = []
  while (lines[at + texts.length]?.startsWith(`${indent}// `))
    texts.push(lines[at + texts.length].slice(indent.length + 3))
  return { open: null, prefix: `${indent}// `, close: null, texts, length: texts.length }
}
