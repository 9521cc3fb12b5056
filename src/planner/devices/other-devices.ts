/** AMD, Intel, Apple, Huawei, Moore Threads and others. Dense, without sparsity. */
import { devices } from './device.ts'
import type { Device } from './device.ts'
import { SOURCES } from './device-sources.ts'

export const OTHER_DEVICES: readonly Device[] = [
  ...devices('amd', SOURCES.torch, [
    ['MI355X', [[288, 8000]], 2516, 5033, { source: 'reseller pages of 2025; TechPowerUp GPU database (FP16 vector × 4)' }],
    ['MI325X', [[256, 6000]], 1307, 2615, { source: 'reseller pages of 2024; CDNA 3 as MI300X in PyTorch device_info.py' }],
    ['MI300X', [[192, 5300]], 1307, 2615],
    ['MI250X', [[128, 3277]], 383, null, { source: SOURCES.techpowerup }],
    ['MI210', [[64, 1638]], 181, null],
  ]),
  ...devices('amd', SOURCES.techpowerup, [
    ['RX 9070 XT', [[16, 640]], 195, 389, { source: SOURCES.matrix }],
    ['RX 7900 XTX', [[24, 960]], 122.8, null],
    ['RX 7900 XT', [[20, 800]], 103, null],
    ['Radeon PRO W7900', [[48, 864]], 122.6, null, { aliases: 'W7900' }],
    ['Radeon AI PRO R9700', [[32, 640]], 191, 383, { aliases: 'R9700', source: SOURCES.matrix }],
  ]),
  ...devices(
    'amd',
    'softab hardware specifications (256 GB/s in theory; 512 operations × 40 units × 2.9 GHz)',
    [
      [
        'Strix Halo',
        [
          [128, 256],
          [96, 256],
          [64, 256],
        ],
        59.4,
        null,
        { aliases: 'Ryzen AI Max+ 395|AI Max+ 395|AI Max 395|Radeon 8060S|8060S' },
      ],
    ],
    true,
  ),
  ...devices('intel', SOURCES.techpowerup, [
    [
      'Arc A770',
      [
        [16, 560],
        [8, 512],
      ],
      138,
      null,
      { source: "Intel's specification in the news of September 2022", unconfirmed: ['fp16'], aliases: 'A770' },
    ],
    ['Arc B580', [[12, 456]], 117, null, { aliases: 'B580', unconfirmed: ['fp16'] }],
    ['Arc Pro B60', [[24, 456]], 98.3, null, { aliases: 'B60|Arc B60', source: SOURCES.configurator }],
  ]),
  ...devices(
    'apple',
    SOURCES.exo,
    [
      [
        'M1',
        [
          [16, 68],
          [8, 68],
        ],
        2.3,
        null,
        { unconfirmed: ['bandwidth'] },
      ],
      [
        'M1 Pro',
        [
          [16, 200],
          [32, 200],
        ],
        5.3,
        null,
      ],
      [
        'M2',
        [
          [16, 100],
          [24, 100],
          [8, 100],
        ],
        3.6,
        null,
      ],
      [
        'M2 Pro',
        [
          [16, 200],
          [32, 200],
        ],
        5.7,
        null,
      ],
      [
        'M3',
        [
          [16, 100],
          [24, 100],
          [8, 100],
        ],
        3.6,
        null,
      ],
      [
        'M3 Pro',
        [
          [18, 150],
          [36, 150],
        ],
        5,
        null,
      ],
      [
        'M1 Max',
        [
          [64, 400],
          [32, 400],
        ],
        10.6,
        null,
      ],
      [
        'M1 Ultra',
        [
          [128, 800],
          [64, 800],
        ],
        21.2,
        null,
      ],
      [
        'M2 Max',
        [
          [96, 400],
          [64, 400],
          [32, 400],
        ],
        13.5,
        null,
      ],
      [
        'M2 Ultra',
        [
          [192, 800],
          [128, 800],
          [64, 800],
        ],
        27,
        null,
      ],
      // 30 GPU cores come with 36 or 96 GB and three quarters of the channels (support.apple.com 117737).
      [
        'M3 Max',
        [
          [128, 400],
          [96, 300],
          [64, 400],
          [48, 400],
          [36, 300],
        ],
        14.2,
        null,
      ],
      [
        'M3 Ultra',
        [
          [512, 819],
          [256, 819],
          [96, 819],
        ],
        28.4,
        null,
        { source: 'reviews of March 2025; FP32 of two M3 Max' },
      ],
      [
        'M4 Pro',
        [
          [48, 273],
          [64, 273],
          [24, 273],
        ],
        7.5,
        null,
        { source: 'reviews of October 2024; hmc-tech (16 cores 6.02, × 20 / 16)' },
      ],
      [
        'M4 Max',
        [
          [128, 546],
          [64, 546],
          [48, 546],
          [36, 410],
        ],
        18,
        null,
      ],
      [
        'M4',
        [
          [16, 120],
          [24, 120],
          [32, 120],
        ],
        4.3,
        null,
      ],
    ],
    true,
  ),
  ...devices('ascend', SOURCES.ascend, [
    ['Ascend 910C', [[128, 3200]], 708, null, { aliases: '910C', source: `${SOURCES.ascend}; two dies (TechPowerUp news 2025: 780)` }],
    ['Ascend 910B', [[64, 1600]], 354, null, { aliases: '910B|910B1|910B2' }],
    ['Ascend 910B3', [[64, 1600]], 295, null, { aliases: '910B3' }],
    [
      'Ascend 910B4',
      [
        [32, 800],
        [64, 800],
      ],
      246,
      null,
      { aliases: '910B4|910B4-1' },
    ],
    // `Ascend910` with 64 GiB is how npu-smi calls one die of a 910C.
    [
      'Ascend 910',
      [
        [32, 1200],
        [64, 1600],
      ],
      256,
      null,
      { aliases: '910A|910|Ascend910|910ProA|910ProB', source: 'Hot Chips 2019 slides in the news', unconfirmed: ['bandwidth'] },
    ],
    ['Atlas 300I Duo', [[96, 408]], 140, null, { source: 'news of October 2025 (96 GB, 408 GB/s, 280 INT8 TOPS)' }],
    // One of the two chips of a 300I Duo, as npu-smi lists them.
    ['Ascend 310P', [[48, 204]], 70, null, { aliases: '310P|310P3', source: 'half of an Atlas 300I Duo' }],
  ]),
  ...devices('moore-threads', 'news of the announcement', [
    ['MTT S5000', [[80, 1600]], 512, 1024, { aliases: 'S5000', unconfirmed: ['fp16'] }],
    ['MTT S4000', [[48, 768]], 98, null, { aliases: 'S4000', source: 'news of December 2023, prospectus of 2025' }],
    ['MTT S80', [[16, 448]], 14.4, null, { aliases: 'S80' }],
  ]),
  ...devices('other', 'hblas-bench DCU-bench.md', [
    ['Hygon K100 AI', [[64, 896]], 196, null, { aliases: 'K100 AI' }],
    ['Cambricon MLU370-X8', [[48, 614]], 96, null, { aliases: 'MLU370-X8|MLU370', source: 'news of the announcement, March 2022' }],
  ]),
]
