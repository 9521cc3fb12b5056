/** Licences of the catalogue's models, and what commercial use needs. Summaries for orientation; the licence's text decides. */
import type { Localized } from '../../shared/language.ts'
import type { CatalogueModel, LicenseKey } from './repository.ts'

/** `conditions`: allowed, with duties beyond keeping a notice. */
export type Commercial = 'yes' | 'conditions' | 'check'

export interface License {
  name: Localized
  commercial: Commercial
  /** What commercial use needs. */
  needs: Localized
}

export const LICENSES: Readonly<Record<LicenseKey, License>> = {
  mit: license('MIT', 'yes', 'keep the copyright notice and the licence text', '保留版权声明和许可文本'),
  'apache-2.0': license(
    'Apache-2.0',
    'yes',
    'keep the licence and its notices, and say what you changed',
    '保留许可文本和声明，并注明所做的修改',
  ),
  deepseek: license(
    'DeepSeek Model License',
    'conditions',
    'allowed free of charge; its use restrictions (no military use, no harm, no unlawful use, …) bind you, and you must pass them on to those who get the model or a derivative from you. Only the code is MIT',
    '可免费商用；须遵守其使用限制（禁止军事用途、禁止造成伤害、禁止违法使用等），并须将这些限制传递给从您处获得模型或衍生模型的人。只有代码部分是 MIT',
  ),
  'llama-3.1': llama('3.1'),
  'llama-3.2': llama('3.2'),
  'llama-3.3': llama('3.3'),
  gemma: license(
    'Gemma Terms of Use',
    'conditions',
    'accept the terms; pass on the terms and the prohibited-use policy with the model and its derivatives',
    '须接受条款；分发模型及衍生模型时须附上条款和禁止用途政策',
  ),
  'kimi-k2': license(
    'Modified MIT (Kimi K2)',
    'conditions',
    'as MIT; above 100 million monthly users or 20 million US dollars of monthly revenue, show "Kimi K2" in the product',
    '同 MIT；若月活用户超过 1 亿或月收入超过 2000 万美元，须在产品界面显示“Kimi K2”',
  ),
  conflicting: {
    name: {
      en: 'stated differently in two places (DeepSeek Model License, Apache-2.0)',
      zh: '两处说法不一（DeepSeek Model License、Apache-2.0）',
    },
    commercial: 'check',
    needs: { en: 'read the LICENSE file of the repository before you rely on it', zh: '使用前请阅读仓库中的 LICENSE 文件' },
  },
  unclear: {
    name: { en: 'not verified', zh: '未核实' },
    commercial: 'check',
    needs: { en: 'read the LICENSE file of the repository before you rely on it', zh: '使用前请阅读仓库中的 LICENSE 文件' },
  },
}

/** `MIT`, or `MIT + Llama 3.1 …` where the base's licence binds too. */
export function licenseName({ license: own, baseLicense }: CatalogueModel): Localized {
  const { name } = LICENSES[own]
  if (baseLicense === null) return name
  const base = LICENSES[baseLicense].name
  return { en: `${name.en} + ${base.en} (base)`, zh: `${name.zh} + ${base.zh}（基座）` }
}

/** The stricter of the model's and its base's. */
export function commercialUse({ license: own, baseLicense }: CatalogueModel): Commercial {
  const both = new Set([LICENSES[own].commercial, baseLicense === null ? 'yes' : LICENSES[baseLicense].commercial])
  if (both.has('check')) return 'check'
  return both.has('conditions') ? 'conditions' : 'yes'
}

/** Sentences: the model's licence, its base's, what commercial use needs of each. */
export function licenseText(model: CatalogueModel): Localized {
  const own = LICENSES[model.license]
  const text = { en: `${own.name.en}: ${own.needs.en}.`, zh: `${own.name.zh}：${own.needs.zh}。` }
  if (model.baseLicense === null) return text
  const base = LICENSES[model.baseLicense]
  const name = model.base ?? ''
  return {
    en: `${text.en} Its base ${name} stays under ${base.name.en}: ${base.needs.en}.`,
    zh: `${text.zh}其基座 ${name} 仍受 ${base.name.zh} 约束：${base.needs.zh}。`,
  }
}

function license(name: string, commercial: Commercial, en: string, zh: string): License {
  return { name: { en: name, zh: name }, commercial, needs: { en, zh } }
}

function llama(version: string): License {
  return license(
    `Llama ${version} Community License`,
    'conditions',
    'show "Built with Llama", begin the names of derived models with "Llama", keep to the acceptable-use policy; above 700 million monthly users a licence from Meta is needed',
    '须标明“Built with Llama”，衍生模型名称须以“Llama”开头，遵守可接受使用政策；月活用户超过 7 亿须另获 Meta 许可',
  )
}
