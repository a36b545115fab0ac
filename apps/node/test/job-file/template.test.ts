import { describe, expect, test } from 'vitest'
import { fillIn } from '../../src/job-file/template/fill-in.ts'
import { readPairs, templateVariables } from '../../src/job-file/template/variables.ts'

const VARIABLES = new Map([
  ['a', 'hello'],
  ['b', 'wor'],
])

function outcomeOf(template: string): string {
  const filled = fillIn(template, VARIABLES)
  return 'text' in filled ? filled.text : filled.problems.map(({ message }) => message).join('; ')
}

describe('what is taken says what it says in Bacalhau 1.9.3', () => {
  test.each([
    ['{{.a}}', 'hello'],
    ['{{ .a }}', 'hello'],
    ['x{{- .a -}} y', 'xhelloy'],
    ['x {{- .a -}} y', 'xhelloy'],
    ['{{or (index . "zz") "d"}}', 'd'],
    ['{{ or .a "d" }}', 'hello'],
    ['{{if .a}}1{{else}}2{{end}}', '1'],
    ['{{if eq .a "hello"}}1{{else if eq .a "x"}}2{{else}}3{{end}}', '1'],
    ['{{if index . "zz"}}1{{else}}2{{end}}', '2'],
    ['{{range $k, $v := .}}{{$k}}={{$v}};{{end}}', 'a=hello;b=wor;'],
    ['{{range $v := .}}{{$v}};{{end}}', 'hello;wor;'],
    ['{{range .}}{{.}};{{end}}', 'hello;wor;'],
    ['{{range 3}}{{.}}{{end}}', '012'],
    ['{{range $i := 3}}{{$i}}{{end}}', '012'],
    ['{{range 0}}x{{else}}none{{end}}', 'none'],
    ['{{printf "%s-%05d|%-5s|%5s|%q" .a 42 "ab" "cd" "q\\"x"}}', 'hello-00042|ab   |   cd|"q\\"x"'],
    ['{{printf "%v %v %v" 1 2.5 true}}', '1 2.5 true'],
    ['{{printf "%x %X %o %b" 255 255 8 5}}', 'ff FF 10 101'],
    ['{{printf "%6.2f|%+d|% d" 3.14159 5 5}}', '  3.14|+5| 5'],
    ['{{printf "100%%"}}', '100%'],
    ['{{.a | printf "%s-%s" "x"}}', 'x-hello'],
    ['{{len .a}}', '5'],
    ['{{len .}}', '2'],
    ['{{index .a 1}}', '101'],
    ['{{print 1 2 "a" 3 4}}', '1 2a3 4'],
    ['{{println "a" 1}}', 'a 1\n'],
    ['{{not .a}}', 'false'],
    ['{{and .a ""}}', ''],
    ['{{and .a "b"}}', 'b'],
    ['{{or "" ""}}', ''],
    ['{{"" | or "x"}}', 'x'],
    ['{{"x" | or ""}}', 'x'],
    ['{{ $x := .a }}{{$x}}', 'hello'],
    ['{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{$x}}', '2'],
    ['{{with .a}}{{.}}-{{$.b}}{{else}}no{{end}}', 'hello-wor'],
    ['{{with index . "zz"}}y{{else}}n{{end}}', 'n'],
    ['{{$.a}}', 'hello'],
    ['{{(index . "a")}}', 'hello'],
    ['{{(.).a}}', 'hello'],
    [
      '{{1.5}} {{1e3}} {{0x10}} {{010}} {{1_000}} {{-3}} {{1e21}} {{0.00001}} {{123456789.0}}',
      '1.5 1000 16 8 1000 -3 1e+21 1e-05 1.23456789e+08',
    ],
    ['{{"a\\tb\\x41\\u00e9"}}', 'a\tbAé'],
    ['{{`raw "x"`}}', 'raw "x"'],
    ['{{/* comment */}}x', 'x'],
    ['{{- /* comment */ -}} x', 'x'],
    ['{{"{{"}} .x {{"}}"}}', '{{ .x }}'],
    ['{{eq .a .b "hello"}}', 'true'],
    ['{{lt 1 2}} {{ge "b" "a"}} {{ne .a .b}}', 'true true true'],
    ['{{true}} {{false}}', 'true false'],
    ['{{.}}', 'map[a:hello b:wor]'],
    ['{{range $k, $v := .}}{{if eq $k "b"}}{{continue}}{{end}}{{$v}}{{end}}', 'hello'],
    ['{{range .}}{{break}}{{end}}x', 'x'],
    ['{{print .a .b}}', 'hellowor'],
    ['{{print (len .a) (len .b)}}', '5 3'],
    ['{{ .a}}}}', 'hello}}'],
    ['{{.a}}{{.b}}', 'hellowor'],
    ['{{if and (eq .a "hello") (ne .b "x")}}y{{end}}', 'y'],
    ['{{with $q := .a}}{{$q}}{{end}}', 'hello'],
    ['{{if $q := .b}}{{$q}}{{else}}{{$q}}{{end}}', 'wor'],
    ['{{ printf "%t" true }}', 'true'],
    ['{{ .a\n}}', 'hello'],
    ['{{if not (index . "zz")}}n{{end}}', 'n'],
    ['{{printf "%5t|%-6v|" true 3}}', ' true|3     |'],
    ['{{printf "%05s" "ab"}}', '000ab'],
    ['{{printf "%.2s" .a}}', 'he'],
    ['{{- .a}} {{ .b -}}', 'hello wor'],
    ['{{if .a -}} y {{- end}}', 'y'],
    ['{{.a|print}}', 'hello'],
    ['{{.5}}', '0.5'],
    ['{{1.}}', '1'],
    ['{{ $ }}', 'map[a:hello b:wor]'],
    ['{{ range $i, $e := . }}{{ if $i }}, {{ end }}{{ $e }}{{ end }}', ', hello, wor'],
  ])('%j is %j', (template, text) => {
    expect(fillIn(template, VARIABLES)).toEqual({ text })
  })
})

describe('what is refused is named', () => {
  test.each([
    ['{{.zz}}', 'the template variable zz is not given'],
    ['{{range $i, $j := 3}}{{$i}}{{$j}}{{end}}', '{{range}} over a number sets one variable, not two'],
    ['{{printf "%d" .a}}', 'printf: %d cannot write a text'],
    ['{{printf "%s" 3}}', 'printf: %s cannot write a whole number'],
    ['{{printf "%s"}}', 'printf: %s has no value'],
    ['{{printf "%s" "a" "b"}}', 'printf: 1 more values than verbs such as %s are given'],
    ['{{index .a 9}}', 'index: there is no 9 in a text of 5 bytes'],
    ['{{$y}}', '$y is not set before it is used'],
    ['{{.a.b}}', '.b is looked for in a text'],
    ['{{ /* c */ }}', '/ is not taken in a template'],
    ['{{default "x" .a}}', 'the function default is not known'],
    ['{{.a | upper}}', 'the function upper is not known'],
    ['{{template "x"}}', '{{template}} is not taken'],
    ['{{define "x"}}y{{end}}', '{{define}} is not taken'],
    ['{{eq 1 1.0}}', 'eq: cannot compare a whole number with a number with a fraction'],
    ['{{lt .a 1}}', 'lt: cannot compare a text with a whole number'],
    ['{{nil}}', 'nil is not taken'],
    ['{{break}}', '{{break}} stands outside of {{range}}'],
    ['{{end}}', '{{end}} stands without an {{if}}, {{with}} or {{range}} before it'],
    ['{{if .a}}', '{{if}} has no {{end}}'],
    ['{{', '{{ has no }} behind it'],
    ['{{.a', '{{ has no }} behind it'],
    ['{{}}', '{{ }} is empty'],
    ['{{ }}', '{{ }} is empty'],
    ['{{.a .b}}', 'several values stand side by side, and no function takes them'],
    ['{{"a" "b"}}', 'several values stand side by side, and no function takes them'],
    ['{{.a | .b}}', 'behind | a function must stand, such as printf'],
    ["{{'a'}}", 'single quotes are not taken in a template'],
    ['{{.a-b}}', '- is not taken in a template'],
    [
      '{{if .a}}{{else}}{{else}}{{end}}',
      '{{else}} stands without an {{if}}, {{with}} or {{range}} before it',
    ],
    ['{{range "abc"}}{{.}}{{end}}', '{{range}} cannot go through a text'],
    ['{{range .}}{{.a}}{{end}}', '.a is looked for in a text'],
    ['{{slice .a 1 3}}', 'the function slice is not known'],
    ['{{html .a}}', 'the function html is not known'],
    ['{{urlquery .a}}', 'the function urlquery is not known'],
    ['{{printf "%q" 65}}', 'printf: %q cannot write a whole number'],
    ['{{printf "%c" 65}}', 'printf: %c is not taken; there are %s %v %q %d %x %o %b %t %f and %%'],
    ['{{printf "%*d" 5 3}}', 'printf: %* is not taken; there are %s %v %q %d %x %o %b %t %f and %%'],
    ['{{printf "%[1]s" .a}}', 'printf: %[ is not taken; there are %s %v %q %d %x %o %b %t %f and %%'],
    ['{{ .A }}', 'the template variable A is not given'],
    ['{{else}}', '{{else}} stands without an {{if}}, {{with}} or {{range}} before it'],
    ['{{print(.a)}}', 'a space is missing before ('],
    ['{{len(.a)}}', 'a space is missing before ('],
    ['{{ index . "a" "b" }}', 'index: takes the dot and the name of a variable: index . "name"'],
    ['{{eq .a}}', 'eq: takes at least two values'],
    ['{{and}}', 'and: takes at least one value'],
    ['{{not .a .b}}', 'not: takes one value, not 2'],
    ['{{100000000000000000000}}', '100000000000000000000 is too large'],
    ['{{print nil}}', 'nil is not taken'],
    ['{{$.b.c}}', '.c is looked for in a text'],
  ])('%j: %s', (template, message) => {
    expect('problems' in fillIn(template, VARIABLES)).toBe(true)
    expect(outcomeOf(template)).toBe(message)
  })
})

test('all variables that are not given are told, each once, with their places', () => {
  const filled = fillIn('{{.x}}\n  {{.y}}{{.x}} {{.a}}', VARIABLES)
  expect('problems' in filled && filled.problems.map(({ variable, offset }) => [variable, offset])).toEqual([
    ['x', 2],
    ['y', 11],
  ])
})

test('no template takes for ever or for all memory', () => {
  expect(outcomeOf('{{range 100000000}}x{{end}}')).toMatch(/more than 1000000 steps/)
  expect(outcomeOf(`{{range 100000}}${'x'.repeat(1000)}{{end}}`)).toMatch(/more than any job file may hold/)
  const doubled = (call: string) => outcomeOf(`{{$a := "xx"}}{{range 99}}{{$a = ${call}}}{{end}}`)
  for (const call of ['print $a $a', 'printf "%x" $a', 'printf "%s%s" $a $a', '$a | printf "%q%s" $a']) {
    expect(doubled(call)).toMatch(/more text than any job file may hold|writes more than/)
  }
  expect(outcomeOf(`{{printf "${'%1000d'.repeat(30_000)}"${' 1'.repeat(30_000)}}}`)).toMatch(
    /writes more than/,
  )
  expect(outcomeOf(`${' '.repeat(300_000)}x {{- "y" }}`)).toMatch(/^ +xy$/)
  expect(outcomeOf('{{if true}}'.repeat(50_000))).toMatch(/nested more than 100 deep/)
  expect(outcomeOf(`{{${'('.repeat(50_000)}}}`)).toMatch(/nested more than 100 deep/)
})

test('values come as the options say, and count before those of the environment', () => {
  const env = { APP_MODE: 'env', APP_ONE: '1', OTHER: 'x' }
  const of = (given: readonly string[], envPattern?: string) =>
    Object.fromEntries(templateVariables({ given, envPattern, env }))
  expect(of(['a=1', 'b=2,c=3', '"d=4,5",e=6', 'f=a=b', 'a=7'])).toEqual({
    a: '7',
    b: '2',
    c: '3',
    d: '4,5',
    e: '6',
    f: 'a=b',
  })
  expect(of(['APP_MODE=given'], '^APP_')).toEqual({ APP_MODE: 'given', APP_ONE: '1' })
  expect(of([], '(?i)^other$')).toEqual({ OTHER: 'x' })
  expect(of([])).toEqual({})
  const bomb = { given: [], envPattern: '^(A+)+$', env: { [`${'A'.repeat(60)}1`]: 'x' } }
  expect(() => templateVariables(bomb)).toThrow(/timed out/)
  expect(['a', '=b', 'a=1,b=2,c', '"a=1,b=2'].map(readPairs)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  expect(['a=', '"a=1"', 'a=x y'].map(readPairs)).toEqual([[['a', '']], [['a', '1']], [['a', 'x y']]])
})
