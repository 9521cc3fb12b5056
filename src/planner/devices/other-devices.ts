/** AMD, Intel, Apple, Huawei, Moore Threads and others. Numbers as in the makers' data sheets; dense, without sparsity. */
import { devices } from './device.ts'
import type { Device } from './device.ts'

export const OTHER_DEVICES: readonly Device[] = [
  ...devices('amd', 'AMD Instinct data sheet', [
    ['MI355X', 288, 8000, 2516, 5033],
    ['MI325X', 256, 6000, 1307, 2615],
    ['MI300X', 192, 5300, 1307, 2615],
    ['MI250X', 128, 3277, 383, null],
    ['MI210', 64, 1638, 181, null],
  ]),
  ...devices('amd', 'AMD Radeon product specification', [
    ['RX 9070 XT', 16, 640, 195, 389],
    ['RX 7900 XTX', 24, 960, 122.8, null],
    ['RX 7900 XT', 20, 800, 103, null],
    ['Radeon PRO W7900', 48, 864, 122.6, null, 'W7900'],
    ['Radeon AI PRO R9700', 32, 640, 191, 383, 'R9700'],
  ]),
  ...devices(
    'amd',
    'AMD product specification',
    [['Strix Halo', [128, 96, 64], 256, 59, null, 'Ryzen AI Max+ 395|AI Max+ 395|AI Max 395']],
    true,
  ),
  ...devices('intel', 'Intel product specification', [
    ['Arc A770', 16, 560, 138, null],
    ['Arc B580', 12, 456, 117, null],
    ['Arc Pro B60', 24, 456, 98, null],
  ]),
  ...devices(
    'apple',
    'Apple technical specification',
    [
      ['M1 Max', [64, 32], 400, 10.4, null],
      ['M1 Ultra', [128, 64], 800, 21, null],
      ['M2 Max', [96, 64, 32], 400, 13.6, null],
      ['M2 Ultra', [192, 128, 64], 800, 27.2, null],
      ['M3 Max', [128, 96, 64, 48, 36], 400, 14.2, null],
      ['M3 Ultra', [512, 256, 96], 819, 28.4, null],
      ['M4 Pro', [48, 64, 24], 273, 9.2, null],
      ['M4 Max', [128, 64, 48, 36], 546, 18.4, null],
      ['M4', [16, 24, 32], 120, 4.6, null],
    ],
    true,
  ),
  ...devices('ascend', 'Huawei Atlas product page', [
    ['Ascend 910C', 128, 3200, 752, null, '910C'],
    ['Ascend 910B', [64, 32], 1600, 376, null, '910B|910B1|910B2|910B3|910B4'],
    ['Ascend 910', 32, 1200, 256, null, '910A|910'],
    ['Atlas 300I Duo', [96, 48], 408, 140, null, '310P|Ascend 310P|310P3'],
  ]),
  ...devices('moore-threads', 'Moore Threads product page', [
    ['MTT S4000', 48, 768, 100, null, 'S4000'],
    ['MTT S80', 16, 448, 14.4, null, 'S80'],
  ]),
  ...devices('other', "the maker's product page", [
    ['Hygon K100 AI', 64, 896, 192, null, 'K100 AI|K100'],
    ['Cambricon MLU370-X8', 48, 614, 96, null, 'MLU370-X8|MLU370'],
  ]),
]
