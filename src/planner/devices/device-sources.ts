/** What the tables were checked against in November 2026, by short names. Derived numbers say from what. */

const TECHPOWERUP = 'TechPowerUp GPU database (copy of February 2026)'
/** Dense, with FP32 accumulation, which GeForce cards do at half the rate. Source: NVIDIA's Ampere GA102, Ada and RTX Blackwell white papers. */
const TENSOR = 'FP16 = FP32 × 2 (GeForce) or × 4 (workstation)'

export const SOURCES = {
  techpowerup: TECHPOWERUP,
  geforce: `${TECHPOWERUP}; tensor cores: ${TENSOR}`,
  geforceFp8: `${TECHPOWERUP}; tensor cores: ${TENSOR}, FP8 = FP16 × 2`,
  matrix: `${TECHPOWERUP}; matrix cores of RDNA 4: FP16 = FP32 × 4, FP8 = FP16 × 2`,
  orin: `${TECHPOWERUP}; tensor cores: FP16 = FP32 × 8, as 67 sparse INT8 TOPS of the Orin Nano Super tell`,
  configurator: 'NVIDIA aiconfigurator systems/*.yaml (August 2026)',
  hopper: 'NVIDIA aiconfigurator systems/*.yaml (August 2026), TechPowerUp GPU database',
  profile: 'LLM-Prof hardware_spec.md; arthurchiao.art GPU data sheets (2024)',
  torch: 'AMD data sheets as in PyTorch torch/_inductor/analysis/device_info.py',
  exoGeforce:
    'bandwidth as in tables of comparison (alldbin, topcpu, sysrqmts); FP32 as in exo device_capabilities.py; tensor cores: FP16 = FP32 × 2 (Ampere GeForce) or × 4 (Turing, workstation)',
  exo: 'Apple technical specifications; FP32 of the GPU as in exo device_capabilities.py and Hugging Face tasks hardware.ts',
  ascend: 'an Ascend serving simulator (HWConf, "vendor-published"); CANN platform_config: cores × clock × 8192',
} as const
