import { expect, test } from 'vitest'
import { findPortOwner, listeningInodes, parseLsof, programName } from './port-owner.ts'

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20D0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0
   1: 0100007F:20D0 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 222 1 0 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0
`

test('only sockets that listen on that very port count', () => {
  expect(listeningInodes(TABLE, 8400)).toEqual(['111'])
  expect(listeningInodes(TABLE, 22)).toEqual(['333'])
  expect(listeningInodes(TABLE, 80)).toEqual([])
  expect(listeningInodes('', 80)).toEqual([])
})

test('lsof’s fields are read', () => {
  expect(parseLsof('p4242\ncnode\nf21\n')).toEqual({ pid: 4242, name: 'node' })
  expect(parseLsof('')).toBeUndefined()
})

test('nobody owns a port that nobody listens on', async () => {
  expect(await findPortOwner(1)).toBeUndefined()
})

test('another bendi is called by its name, any other program by its own', () => {
  expect(programName('node', '/usr/bin/node\0/opt/bendi/bin/bendi.js\0up\0')).toBe('bendi')
  expect(programName('node', 'node\0--no-warnings\0/usr/local/bin/bendi\0serve\0')).toBe('bendi')
  expect(programName('MainThread', 'node\0server.js\0')).toBe('MainThread')
  expect(programName('python3', 'python3\0bendi.js\0')).toBe('python3')
})
