import { fixedSize, placedFields, specs, taggedFields, type NamedSpec } from './defaults.ts';
import type { Layout } from './interpret.ts';
import { inRange, type FieldSpec } from './schema.ts';
import { literal, runsOfFixedSize, SourceText } from './source-text.ts';

/** JavaScript that encodes `layout`; see compile-decoder.ts. */
export function encoderSource(layout: Layout): string {
  const text = new SourceText();
  const root = encodeStruct(text, layout);
  return text.result(root);
}

function encodeStruct(text: SourceText, layout: Layout): string {
  const { table, version, flexible } = layout;
  const body = specs(table)
    .filter(([, spec]) => !inRange(spec.versions, version) && !spec.ignorable)
    .map(([name, spec]) => `  if (!(${isDefaultExpression(spec, `v.${name}`)})) throw h.notInVersion();`);
  for (const run of runsOfFixedSize(placedFields(table, version))) {
    for (const [name, spec] of run) {
      body.push(`  let $${name} = v.${name};`);
      if (spec.optional) body.push(`  if ($${name} === undefined) $${name} = ${defaultExpression(spec)};`);
    }
    body.push(...writeRun(text, layout, run));
  }
  if (flexible) body.push(writeTags(text, layout));
  return text.define(['w', 'v'], body);
}

/** Neighbours of fixed size get their room at once, and integers are written byte by byte in place. */
function writeRun(text: SourceText, layout: Layout, run: readonly NamedSpec[]): string[] {
  if (run.length === 1) return [writeField(text, layout, run[0]![0], run[0]![1])];
  const size = run.reduce((sum, [, spec]) => sum + fixedSize(spec), 0);
  const body = [`  w.reserve(${size});`, '  {', '    const b = w.buffer;', '    let p = w.pos;'];
  for (const [name, spec] of run) {
    const bytes = INTEGERS[spec.type];
    if (bytes === undefined) {
      body.push('    w.pos = p;', `  ${writeField(text, layout, name, spec)}`, '    p = w.pos;');
      continue;
    }
    const value = `$${name}`;
    const unused = 32 - bytes * 8;
    body.push(
      `    if ((${value} << ${unused}) >> ${unused} !== ${value}) h.unfit('an ${spec.type}', ${value});`,
    );
    for (let i = 0; i < bytes; i++) body.push(`    b[p + ${i}] = ${value} >> ${(bytes - 1 - i) * 8};`);
    body.push(`    p += ${bytes};`);
  }
  return [...body, '    w.pos = p;', '  }'];
}

const INTEGERS: Partial<Record<FieldSpec['type'], number>> = { int8: 1, int16: 2, int32: 4 };

function writeTags(text: SourceText, layout: Layout): string {
  const tagged = taggedFields(layout.table, layout.version);
  if (tagged.length === 0) return '  w.uvarint(0);';
  const lines = ['  let tags = 0;'];
  for (const [name, spec] of tagged) {
    lines.push(
      `  const has$${name} = !(${isDefaultExpression(spec, `v.${name}`)});`,
      `  if (has$${name}) tags++;`,
    );
  }
  lines.push('  w.uvarint(tags);');
  for (const [name, spec] of tagged) {
    lines.push(
      `  if (has$${name}) {`,
      `    let $${name} = v.${name};`,
      `    w.uvarint(${spec.tag});`,
      '    const start = w.pos;',
      writeField(text, layout, name, spec),
      '    w.endTagged(start);',
      '  }',
    );
  }
  return lines.join('\n');
}

function writeField(text: SourceText, layout: Layout, name: string, spec: FieldSpec): string {
  const value = `$${name}`;
  const nullable = inRange(spec.nullable, layout.version);
  const refuseNull = `  if (${value} === null) throw h.nullNotAllowed();`;
  switch (spec.type) {
    case 'array':
      return writeArray(text, layout, name, spec);
    case 'struct': {
      const write = `${encodeStruct(text, { ...layout, table: spec.table! })}(w, ${value});`;
      const check = `  if (typeof ${value} !== 'object') h.unfit('an object', ${value});`;
      if (!nullable) return `${refuseNull}\n${check}\n  ${write}`;
      return `  w.int8(${value} === null ? -1 : 1);\n  if (${value} !== null) {\n  ${check}\n    ${write}\n  }`;
    }
    case 'string':
    case 'bytes':
    case 'records': {
      const kind = spec.type === 'string' ? 'string' : 'bytes';
      const method = layout.flexible ? `compact${kind[0]!.toUpperCase()}${kind.slice(1)}` : kind;
      const write = `  w.${method}(${value});`;
      return nullable ? write : `${refuseNull}\n${write}`;
    }
    default:
      return `  w.${spec.type}(${value});`;
  }
}

function writeArray(text: SourceText, layout: Layout, name: string, spec: FieldSpec): string {
  const value = `$${name}`;
  const nullable = inRange(spec.nullable, layout.version);
  const whenNull = layout.flexible ? 'w.uvarint(0);' : 'w.int32(-1);';
  return [
    `  if (${value} === null) ${nullable ? whenNull : `throw h.nullNotAllowed();`}`,
    '  else {',
    `    if (!Array.isArray(${value})) h.unfit('an array', ${value});`,
    layout.flexible ? `    w.uvarint(${value}.length + 1);` : `    w.int32(${value}.length);`,
    ...(spec.element!.type === 'int32'
      ? [`    w.int32s(${value});`]
      : [
          `    for (let i = 0; i < ${value}.length; i++) {`,
          `      const ${value}$e = ${value}[i];`,
          writeField(text, layout, `${name}$e`, spec.element!),
          '    }',
        ]),
    '  }',
  ].join('\n');
}

function defaultExpression(spec: FieldSpec): string {
  if (spec.default === null) return 'null';
  if (spec.type === 'array') return 'h.noElements';
  if (spec.type === 'struct') return 'h.noFields';
  return literal(spec);
}

/** True for the default and for what was left out. */
function isDefaultExpression(spec: FieldSpec, value: string): string {
  return `${value} === undefined || ${givenIsDefault(spec, value)}`;
}

function givenIsDefault(spec: FieldSpec, value: string): string {
  if (spec.default === null) return `${value} === null`;
  switch (spec.type) {
    case 'array':
    case 'bytes':
    case 'records':
      return `(${value} !== null && ${value}.length === 0)`;
    case 'struct': {
      const fields = specs(spec.table!).map(
        ([name, field]) => `(${isDefaultExpression(field, `${value}.${name}`)})`,
      );
      return `(${value} !== null && ${fields.join(' && ')})`;
    }
    default:
      return `${value} === ${literal(spec)}`;
  }
}
