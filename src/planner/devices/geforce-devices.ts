/** NVIDIA's consumer and workstation cards, and GeForce in laptops. Dense, without sparsity. */
import { devices } from './device.ts'
import type { Device } from './device.ts'
import { SOURCES } from './device-sources.ts'

/** For cards whose arithmetic was found in a public text, but not their memory's speed. */
const RECALLED = { unconfirmed: ['bandwidth'] } as const

/** Of 48 and 22 GiB there are only rebuilt cards, which keep their bandwidth. */
export const GEFORCE_DEVICES: readonly Device[] = [
  ...devices('nvidia', SOURCES.geforceFp8, [
    ['RTX 5090', [[32, 1792]], 209.5, 419],
    ['RTX 5090 D', [[32, 1792]], 209.5, 419],
    ['RTX 5090 D v2', [[24, 1344]], 209.5, 419],
    ['RTX 5080', [[16, 960]], 112.6, 225],
    ['RTX 5070 Ti', [[16, 896]], 87.9, 176],
    ['RTX 5070', [[12, 672]], 61.7, 123],
    [
      'RTX 5060 Ti',
      [
        [16, 448],
        [8, 448],
      ],
      47.4,
      95,
    ],
    [
      'RTX 4090',
      [
        [24, 1008],
        [48, 1008],
      ],
      165.2,
      330.3,
    ],
    [
      'RTX 4090 D',
      [
        [24, 1008],
        [48, 1008],
      ],
      147.1,
      294,
    ],
    ['RTX 4080 SUPER', [[16, 736]], 104.4, 209],
    ['RTX 4080', [[16, 717]], 97.5, 195],
    ['RTX 4070 Ti SUPER', [[16, 672]], 88.2, 176],
    ['RTX 4070 Ti', [[12, 504]], 80.2, 160],
    ['RTX 4070 SUPER', [[12, 504]], 71, 142],
    ['RTX 4070', [[12, 504]], 58.3, 117],
    [
      'RTX 4060 Ti',
      [
        [16, 288],
        [8, 288],
      ],
      44.1,
      88,
    ],
    ['RTX 4060', [[8, 272]], 30.2, 60],
    ['RTX 5090 Laptop', [[24, 896]], 63.6, 127],
    ['RTX 5080 Laptop', [[16, 896]], 46.1, 92],
    ['RTX 5070 Ti Laptop', [[12, 672]], 34.1, 68],
    ['RTX 5070 Laptop', [[8, 384]], 26.3, 52],
    ['RTX 4090 Laptop', [[16, 576]], 66, 132],
    ['RTX 4080 Laptop', [[12, 432]], 49.4, 99],
    ['RTX 4070 Laptop', [[8, 256]], 31.2, 62],
    ['RTX 4060 Laptop', [[8, 256]], 23.2, 46],
  ]),
  ...devices('nvidia', SOURCES.geforceFp8, [
    ['RTX PRO 6000 Blackwell', [[96, 1792]], 504, 1007, { aliases: 'RTX PRO 6000|PRO 6000|RTX 6000 Blackwell' }],
    [
      'RTX PRO 5000 Blackwell',
      [
        [48, 1344],
        [72, 1344],
      ],
      267.8,
      535,
      { aliases: 'RTX PRO 5000|PRO 5000' },
    ],
    ['RTX 6000 Ada', [[48, 960]], 364, 728, { aliases: 'RTX 6000 Ada Generation' }],
  ]),
  ...devices('nvidia', SOURCES.geforce, [
    ['RTX 3090 Ti', [[24, 1008]], 80, null],
    ['RTX 3090', [[24, 936]], 71, null],
    ['RTX 3080 Ti', [[12, 912]], 68.2, null],
    [
      'RTX 3080',
      [
        [10, 760],
        [12, 912],
      ],
      59.5,
      null,
    ],
    ['RTX 3060', [[12, 360]], 25.5, null],
    ['RTX A6000', [[48, 768]], 154.8, null, { aliases: 'A6000' }],
    ['RTX 3080 Laptop', [[8, 448]], 38, null],
    ['RTX 3060 Laptop', [[6, 336]], 21.9, null],
    [
      'RTX 2080 Ti',
      [
        [11, 616],
        [22, 616],
      ],
      53.8,
      null,
      { source: `${SOURCES.techpowerup}; tensor cores of Turing: FP16 = FP32 × 4` },
    ],
  ]),
  ...devices('nvidia', SOURCES.exoGeforce, [
    ['RTX 3070 Ti', [[8, 608]], 43.6, null],
    ['RTX 3070', [[8, 448]], 40.6, null],
    ['RTX 3060 Ti', [[8, 448]], 32.4, null],
    ['RTX 3050', [[8, 224]], 18.2, null],
    ['RTX 2080', [[8, 448]], 40.3, null, RECALLED],
    ['RTX 2070', [[8, 448]], 29.9, null, RECALLED],
    [
      'RTX 2060',
      [
        [6, 336],
        [12, 336],
      ],
      25.8,
      null,
    ],
    ['RTX A5000', [[24, 768]], 111.2, null, { ...RECALLED, aliases: 'A5000' }],
    ['RTX A4000', [[16, 448]], 76.7, null, { aliases: 'A4000' }],
  ]),
]
