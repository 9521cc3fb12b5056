/** NVIDIA's accelerators and small computers. Dense, without sparsity. */
import { devices } from './device.ts'
import type { Device } from './device.ts'
import { SOURCES } from './device-sources.ts'

export const SERVER_DEVICES: readonly Device[] = [
  ...devices('nvidia', SOURCES.hopper, [
    // Memory as nvidia-smi reports it: of 192 and 288 GB parts are set aside.
    ['B300', [[268, 7750]], 2250, 4500, { source: SOURCES.configurator }],
    ['B200', [[180, 7700]], 2250, 4500, { source: SOURCES.configurator }],
    ['H200', [[141, 4800]], 989.5, 1979, { aliases: 'H200 SXM|H200 NVL' }],
    ['H100 SXM', [[80, 3350]], 989.5, 1979, { aliases: 'H100|H100 80GB HBM3' }],
    ['H100 PCIe', [[80, 2000]], 756, 1513],
    ['H100 NVL', [[94, 3940]], 835.5, 1671, { source: `${SOURCES.techpowerup}; NVIDIA H100 NVL data sheet, half of sparse 1671 and 3341` }],
    [
      'GH200',
      [
        [96, 4000],
        [144, 4900],
      ],
      990,
      1979,
      { source: 'news of August 2023 (96 GB HBM3 at 4 TB/s, HBM3e at 5 TB/s)', unconfirmed: ['fp16', 'fp8'] },
    ],
  ]),
  ...devices('nvidia', SOURCES.profile, [
    ['H800', [[80, 3350]], 989.5, 1979, { aliases: 'H800 SXM' }],
    ['H20', [[96, 4000]], 148, 296, { aliases: 'H20 HBM3' }],
    ['H20-3e', [[141, 4800]], 148, 296],
    [
      'A100',
      [
        [80, 2039],
        [40, 1555],
      ],
      312,
      null,
      { aliases: 'A100 SXM4' },
    ],
    [
      'A100 PCIe',
      [
        [80, 1935],
        [40, 1555],
      ],
      312,
      null,
    ],
    ['A800', [[80, 2039]], 312, null, { aliases: 'A800 SXM4' }],
    ['A10', [[24, 600]], 125, null, { aliases: 'A10G', hasInlineEcc: true }],
    ['L20', [[48, 864]], 119.5, 239, { hasInlineEcc: true }],
    ['L4', [[24, 300]], 121, 242, { source: SOURCES.configurator, hasInlineEcc: true }],
    ['A30', [[24, 933]], 165, null, { source: SOURCES.configurator }],
    ['L40S', [[48, 864]], 362, 733, { source: SOURCES.configurator, hasInlineEcc: true }],
    ['L40', [[48, 864]], 181, 362, { source: `${SOURCES.techpowerup}; tensor cores: FP16 = FP32 × 2, FP8 = FP16 × 2`, hasInlineEcc: true }],
    ['A40', [[48, 696]], 149.7, null, { source: `${SOURCES.techpowerup}; exo device_capabilities.py`, hasInlineEcc: true }],
  ]),
  ...devices('nvidia', `${SOURCES.techpowerup}; NVIDIA data sheets as in Lightning throughput.py`, [
    [
      'V100',
      [
        [32, 900],
        [16, 900],
      ],
      125,
      null,
      { aliases: 'V100 SXM2' },
    ],
    ['T4', [[16, 320]], 65, null, { hasInlineEcc: true }],
    // FP16 is slower than FP32 there: this is FP32.
    ['P40', [[24, 347]], 11.8, null, { source: SOURCES.techpowerup }],
  ]),
  ...devices(
    'nvidia',
    SOURCES.orin,
    [
      [
        'DGX Spark',
        [[128, 273]],
        62.5,
        125,
        { aliases: 'GB10', source: `${SOURCES.techpowerup}; FP16 as RTX 5070 (1000 sparse FP4 TOPS / 16)` },
      ],
      [
        'Jetson Thor',
        [[128, 273]],
        258,
        517,
        { aliases: 'Jetson AGX Thor|Jetson T5000|Thor', source: `${SOURCES.techpowerup}; 2070 sparse FP4 TOPS / 8` },
      ],
      [
        'Jetson AGX Orin',
        [
          [64, 205],
          [32, 205],
        ],
        42.6,
        null,
        { aliases: 'Orin|AGX Orin|Jetson Orin' },
      ],
      [
        'Jetson Orin NX',
        [
          [16, 102],
          [8, 102],
        ],
        15,
        null,
        { aliases: 'Orin NX' },
      ],
      [
        'Jetson Orin Nano',
        [
          [8, 68],
          [4, 34],
        ],
        10.2,
        null,
        { aliases: 'Orin Nano' },
      ],
      [
        'Jetson Orin Nano Super',
        [[8, 102]],
        16.7,
        null,
        {
          aliases: 'Orin Nano Super|Jetson Orin Nano Developer Kit Super|Jetson Orin Nano Engineering Reference Developer Kit Super',
        },
      ],
    ],
    true,
  ),
]
