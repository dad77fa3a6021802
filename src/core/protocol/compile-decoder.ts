import { fixedSize, minSize, placedFields, specs, taggedFields, type NamedSpec } from './defaults.ts';
import type { Layout } from './interpret.ts';
import { inRange, type FieldSpec, type Table } from './schema.ts';
import { literal, runsOfFixedSize, SourceText } from './source-text.ts';

/**
 * JavaScript that decodes `layout`: one function per struct, straight code, no version left to ask for. Its text comes from our tables only,
 * never from the wire.
 */
export function decoderSource(layout: Layout): string {
  const text = new SourceText();
  const root = decodeStruct(text, layout);
  return text.result(root);
}

function decodeStruct(text: SourceText, layout: Layout): string {
  const { table, version, flexible } = layout;
  const placed = placedFields(table, version);
  const tagged = flexible ? taggedFields(table, version) : [];
  const body = readPlaced(text, layout, placed);
  body.push(...tagged.map(([name, spec]) => `  let $${name} = ${defaultExpression(spec)};`));
  if (flexible && tagged.length === 0) body.push('  r.skipTags();');
  if (tagged.length > 0) body.push(readTags(text, layout, tagged));
  const present = new Set([...placed, ...tagged].map(([name]) => name));
  const result = specs(table).map(
    ([name, spec]) => `    ${name}: ${present.has(name) ? `$${name}` : defaultExpression(spec)},`,
  );
  return text.define(['r'], [...body, '  return {', ...result, '  };']);
}

/** Neighbours of fixed size are taken with one check of bounds and read byte by byte in place: calls and checks are what decoding costs. */
function readPlaced(text: SourceText, layout: Layout, placed: readonly NamedSpec[]): string[] {
  const body: string[] = [];
  let buffer = false;
  for (const run of runsOfFixedSize(placed)) {
    if (fixedSize(run[0]![1]) === 0) {
      const [name, spec] = run[0]!;
      body.push(`  let $${name};\n${readField(text, layout, name, spec)}`);
      continue;
    }
    if (!buffer) body.push('  const b = r.buffer;');
    buffer = true;
    const at = `p${body.length}`;
    body.push(`  const ${at} = r.take(${run.reduce((sum, [, spec]) => sum + fixedSize(spec), 0)});`);
    let place = 0;
    for (const [name, spec] of run) {
      body.push(`  const $${name} = ${readInPlace(spec, at, place)};`);
      place += fixedSize(spec);
    }
  }
  return body;
}

function readInPlace(spec: FieldSpec, at: string, place: number): string {
  const byte = (i: number) => `b[${at} + ${place + i}]`;
  switch (spec.type) {
    case 'bool':
      return `${byte(0)} !== 0`;
    case 'int8':
      return `${byte(0)} << 24 >> 24`;
    case 'int16':
      return `(${byte(0)} << 24 | ${byte(1)} << 16) >> 16`;
    case 'uint16':
      return `${byte(0)} << 8 | ${byte(1)}`;
    case 'int32':
    case 'uint32': {
      const value = `${byte(0)} << 24 | ${byte(1)} << 16 | ${byte(2)} << 8 | ${byte(3)}`;
      return spec.type === 'int32' ? value : `(${value}) >>> 0`;
    }
    default:
      return `r.${spec.type}At(${at} + ${place})`;
  }
}

function readField(text: SourceText, layout: Layout, name: string, spec: FieldSpec): string {
  const target = `$${name}`;
  const nullable = inRange(spec.nullable, layout.version);
  if (spec.type === 'array') return readArray(text, layout, name, spec);
  if (spec.type === 'struct') {
    const call = `${decodeStruct(text, { ...layout, table: spec.table! })}(r)`;
    return nullable ? `  ${target} = r.int8() < 0 ? null : ${call};` : `  ${target} = ${call};`;
  }
  const read = `  ${target} = ${readScalar(spec, layout.flexible)};`;
  if (nullable || !hasLength(spec)) return read;
  return `${read}\n  if (${target} === null) r.fail(${JSON.stringify(`null in ${name}`)});`;
}

function hasLength(spec: FieldSpec): boolean {
  return spec.type === 'string' || spec.type === 'bytes' || spec.type === 'records';
}

function readScalar(spec: FieldSpec, flexible: boolean): string {
  if (spec.type === 'string') return flexible ? 'r.nullableCompactString()' : 'r.nullableString()';
  if (hasLength(spec)) return flexible ? 'r.nullableCompactBytes()' : 'r.nullableBytes()';
  return `r.${spec.type}()`;
}

function readArray(text: SourceText, layout: Layout, name: string, spec: FieldSpec): string {
  const { version, flexible } = layout;
  const element = spec.element!;
  const count = `r.${flexible ? 'compactCount' : 'count'}(${minSize(element, version, flexible)})`;
  const whenNull = inRange(spec.nullable, version)
    ? `$${name} = null;`
    : `r.fail(${JSON.stringify(`null in ${name}`)});`;
  return [
    `  const n$${name} = ${count};`,
    `  if (n$${name} < 0) ${whenNull}`,
    ...(element.type === 'int32'
      ? [`  else $${name} = r.int32s(n$${name});`]
      : readElements(text, layout, name, element)),
  ].join('\n');
}

function readElements(text: SourceText, layout: Layout, name: string, element: FieldSpec): string[] {
  return [
    '  else {',
    `    $${name} = r.room(n$${name});`,
    `    for (let i = 0; i < n$${name}; i++) {`,
    `      let $${name}$e;`,
    readField(text, layout, `${name}$e`, element),
    `      $${name}[i] = $${name}$e;`,
    '    }',
    '  }',
  ];
}

function readTags(text: SourceText, layout: Layout, tagged: readonly NamedSpec[]): string {
  const cases = tagged.map(
    ([name, spec]) =>
      `      case ${spec.tag}: {\n${readField(text, layout, name, spec)}\n        r.endTagged(start, size, tag);\n        break;\n      }`,
  );
  return [
    '  for (let left = r.uvarint(); left > 0; left--) {',
    '    const tag = r.uvarint();',
    '    const size = r.uvarint();',
    '    const start = r.pos;',
    '    switch (tag) {',
    ...cases,
    '      default: r.skip(size);',
    '    }',
    '  }',
  ].join('\n');
}

function defaultExpression(spec: FieldSpec): string {
  if (spec.default === null) return 'null';
  if (spec.type === 'array') return '[]';
  if (spec.type === 'struct') return defaultStruct(spec.table!);
  return literal(spec);
}

function defaultStruct(table: Table): string {
  return `{ ${specs(table)
    .map(([name, spec]) => `${name}: ${defaultExpression(spec)}`)
    .join(', ')} }`;
}
