// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// Read workflow commands as the runner of GitHub Actions does, and give what was read
// to the toolkit that actions write them with: it must come to the same bytes.
//
// Usage: node github.mjs MODULES EXPECTED < COMMANDS
//
// EXPECTED is a JSON list of what must be in the commands, one object each.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import assert from 'node:assert';

const [modules, expected] = process.argv.slice(2);
const core = await import(pathToFileURL(resolve(modules, '@actions/core/lib/core.js')));

const unescape = (text, pairs) =>
  pairs.reduce((text, [from, to]) => text.replaceAll(from, to), text);
const data = [['%0D', '\r'], ['%0A', '\n'], ['%25', '%']];
const property = [['%0D', '\r'], ['%0A', '\n'], ['%3A', ':'], ['%2C', ','], ['%25', '%']];

// The runner's: the command ends at the first :: behind its own, its name at the
// first space, properties at commas and = signs
function read(line) {
  assert(line.startsWith('::'), `no command: ${line}`);
  const end = line.indexOf('::', 2);
  assert(end > 0, `it does not end: ${line}`);
  const info = line.slice(2, end);
  const space = info.indexOf(' ');
  const properties = {};
  for (const one of space < 0 ? [] : info.slice(space + 1).split(',')) {
    const [key, ...value] = one.split('=');
    properties[key.trim()] = unescape(value.join('='), property);
  }
  const command = space < 0 ? info : info.slice(0, space);
  return { command, properties, message: unescape(line.slice(end + 2), data) };
}

function written(call) {
  const lines = [];
  const write = process.stdout.write;
  process.stdout.write = (text) => lines.push(text);
  try {
    call();
  } finally {
    process.stdout.write = write;
  }
  return lines.join('');
}

const text = readFileSync(0, 'utf8');
const lines = text.split('\n').slice(0, -1);
assert.strictEqual(text, lines.map((line) => `${line}\n`).join(''));
const commands = lines.map(read);
for (const [index, { command, properties, message }] of commands.entries()) {
  const { title, file, line, col } = properties;
  const again = written(() =>
    core[command](message, { title, file, startLine: line, startColumn: col }));
  assert.strictEqual(again, `${lines[index]}\n`);
}
const wanted = JSON.parse(expected);
assert.strictEqual(commands.length, wanted.length, text);
for (const [index, want] of wanted.entries()) {
  const { command, properties, message } = commands[index];
  const got = { command, ...properties, message };
  for (const [key, value] of Object.entries(want)) {
    const same = key === 'message' ? got.message.includes(value) : got[key] === value;
    assert(same, `${key}: ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`);
  }
}
