// Writes examples/word-count.yaml anew, with the module that the build has made of apps/node/src/demo/word-count.wat.
import { readFile, writeFile } from 'node:fs/promises'

const module = await readFile(new URL('../apps/node/dist/demo/word-count.wasm', import.meta.url))
const lines = module.toString('base64').match(/.{1,100}/g)

const text = `# Counts the words of a text in WebAssembly. Runs on any node, without a setting:
#
#   npx -y pnpm@12 saltcod job run examples/word-count.yaml
#   npx -y pnpm@12 saltcod job logs word-count
Name: word-count
Type: batch
Count: 1
Tasks:
  - Name: main
    Engine:
      Type: wasm
      Params:
        EntryModule: /inputs/word-count.wasm
        # The text, how often it is read, and the file for the counts.
        Parameters: [/inputs/text.txt, "1", /outputs/counts.txt]
    ResultPaths:
      - { Name: outputs, Path: /outputs }
    InputSources:
      - Target: /inputs/text.txt
        Source:
          Type: inline
          Params:
            URL: "data:text/plain,Salted and dried in the wind,%0Acod keeps for years.%0A"
      # The program: apps/node/src/demo/word-count.wat, put in here by scripts/write-examples.mjs.
      - Target: /inputs/word-count.wasm
        Source:
          Type: inline
          Params:
            URL: "data:application/wasm;base64,\\
${lines.map((line) => `              ${line}\\\n`).join('')}              "
`
await writeFile(new URL('../examples/word-count.yaml', import.meta.url), text)
