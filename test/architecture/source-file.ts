/** What the architecture rules look at in one file: its imports (type-only ones too) and the names that it uses. */
import path from 'node:path'
import { parseSync } from 'vite'

export interface Import {
  /** As written: a package, `node:…`, or a relative path. */
  specifier: string
  /** From the project's root, with `/`; only for relative paths. */
  target?: string
  typeOnly: boolean
}

export interface SourceFile {
  /** From the project's root, with `/`. */
  path: string
  lines: number
  imports: Import[]
  /** Every statement is a re-export. */
  barrel: boolean
  /** Dotted names in use: `process.env`, `console.log`; and called plain names: `fetch()`. */
  uses: ReadonlySet<string>
  /** The text of string and template literals. */
  strings: string[]
}

interface Node {
  type: string
  [key: string]: unknown
}

/** Throws when the file does not parse. */
export function readSource(filePath: string, text: string): SourceFile {
  const { program, errors } = parseSync(filePath, text)
  if (errors.length > 0) throw new Error(`${filePath}: ${errors[0]?.message}`)
  const file = { imports: [] as Import[], uses: new Set<string>(), strings: [] as string[] }
  const add = (specifier: unknown, typeOnly: boolean): void => {
    if (typeof specifier === 'string') file.imports.push(describeImport(filePath, specifier, typeOnly))
  }
  walk(program as unknown as Node, (node) => {
    if (isModuleStatement(node)) add(literal(node['source']), isTypeOnly(node))
    else if (node.type === 'ImportExpression') add(literal(node['source']), false)
    else if (node.type === 'TSImportType') add(literal(node['source'] ?? node['argument']), true)
    else if (node.type === 'MemberExpression') addName(file.uses, node)
    else if (node.type === 'CallExpression') addCall(file.uses, node['callee'])
    else if (node.type === 'Literal' && typeof node['value'] === 'string') file.strings.push(node['value'])
    else if (node.type === 'TemplateElement') file.strings.push(String((node['value'] as { raw: string }).raw))
  })
  const statements = program.body as unknown as Node[]
  const barrel =
    statements.length > 0 &&
    statements.every((node) => isModuleStatement(node) && node.type.startsWith('Export') && Boolean(node['source']))
  return { path: filePath, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0), barrel, ...file }
}

function describeImport(from: string, specifier: string, typeOnly: boolean): Import {
  if (!specifier.startsWith('.')) return { specifier, typeOnly }
  return { specifier, typeOnly, target: path.posix.join(path.posix.dirname(from), specifier.replace(/\?.*$/, '')) }
}

function isModuleStatement(node: Node): boolean {
  return ['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration'].includes(node.type)
}

/** `import type …`, `export type …`, or every name marked with `type`. */
function isTypeOnly(node: Node): boolean {
  if (node['importKind'] === 'type' || node['exportKind'] === 'type') return true
  const names = (node['specifiers'] ?? []) as Node[]
  return names.length > 0 && names.every((name) => name['importKind'] === 'type' || name['exportKind'] === 'type')
}

function literal(node: unknown): unknown {
  const { type, value, literal: inner } = (node ?? {}) as { type?: string; value?: unknown; literal?: unknown }
  return type === 'TSLiteralType' ? literal(inner) : value
}

function addName(names: Set<string>, node: Node): void {
  const { name: object } = node['object'] as { name?: string }
  const { name, value } = node['property'] as { name?: string; value?: unknown }
  const property = node['computed'] ? value : name
  if (object !== undefined && typeof property === 'string') names.add(`${object}.${property}`)
}

function addCall(names: Set<string>, callee: unknown): void {
  const { type, name } = callee as { type: string; name?: string }
  if (type === 'Identifier' && name !== undefined) names.add(`${name}()`)
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit)
  else if (isNode(value)) {
    visit(value)
    for (const child of Object.values(value)) if (typeof child === 'object') walk(child, visit)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}
