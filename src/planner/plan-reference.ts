/** The planner: a model's header, a machine and wishes → a report of what it needs, where it lies, how fast it is, and what else would fit. Pure. */
import type { ModelHeader } from '../models/headers/model-header.ts'
import type { Hardware } from '../shared/api.ts'
import type { Localized } from '../shared/language.ts'
import type { PlanDevice, PlanReport, PlanRequest } from '../shared/plan.ts'
import { parseGpus, parseMemory } from './devices/parse-devices.ts'
import { termsOf } from './explain.ts'
import { largestContext, mostUsers } from './limits.ts'
import { ASSUMED_MEMORY_BYTES, describedMachine, machineOf } from './machine.ts'
import type { Machine, MachineGpu } from './machine.ts'
import { planNotes, placementText } from './plan-notes.ts'
import { launchCommand } from './launch-command.ts'
import type { LaunchNeeds } from './launch-command.ts'
import { usedBytes } from './placement.ts'
import type { PlacedDevice } from './placement.ts'
import { activeParameters, situationOf, subjectOf } from './planner-situation.ts'
import type { Situation, Subject } from './planner-situation.ts'
import { changesThatFit } from './suggestions.ts'
import { wishesOf } from './wishes.ts'

export interface PlanKnowledge {
  /** `owner/name`, for commands; absent = as the request names it. */
  repository?: string
  /** Compute buffer from libllama's dry run for the planned context; bytes. */
  measuredCompute?: number
  /** Measured ÷ predicted, of earlier loads here. */
  correction?: Subject['correction']
  /** e.g. that the header could not be read and the catalogue was asked. */
  notes?: readonly Localized[]
}

/** Throws `invalid-field` for a card, size or quantisation that is none. */
export function planReference(header: ModelHeader, hardware: Hardware, request: PlanRequest, known: PlanKnowledge = {}): PlanReport {
  const machine = plannedMachine(hardware, request)
  const wishes = wishesOf(request, header, machine)
  const isLlama = wishes.engine === 'llama'
  const subject = subjectOf(header, machine, {
    ...(known.measuredCompute === undefined || !isLlama ? {} : { measuredCompute: known.measuredCompute }),
    ...(known.correction === undefined ? {} : { correction: known.correction }),
  })
  const situation = situationOf(subject, wishes)
  // The dry run was of one context: limits and changes go by the formula, scaled to what the dry run said.
  const scaled = withoutDryRun(subject, situation)
  return {
    model: modelPart(header, request, subject, situation),
    wishes: {
      context: wishes.context,
      users: wishes.users,
      kv: wishes.kv,
      kvLayout: wishes.kvLayout,
      engine: wishes.engine,
      quantization: wishes.quantization,
    },
    fits: situation.placed.fits,
    placement: situation.placed.name,
    placementText: placementText(situation.placed),
    devices: situation.placed.devices.map(deviceOf),
    memory: memoryPart(situation),
    kv: kvPart(subject, situation),
    largestContext: largestContext(scaled, wishes),
    mostUsers: mostUsers(scaled, wishes),
    ...(situation.speed ? { speed: situation.speed } : {}),
    ...parallelismPart(subject, situation, known.repository ?? request.model),
    terms: termsOf(subject, situation),
    changes: situation.placed.fits ? [] : changesThatFit(scaled, wishes),
    notes: [...(known.notes ?? []), ...planNotes(subject, situation, request)],
  }
}

/** This machine, or the described one. `--ram` alone describes a machine without cards. */
export function plannedMachine(hardware: Hardware, { gpu, ram }: Pick<PlanRequest, 'gpu' | 'ram'>): Machine {
  if (gpu === undefined && ram === undefined) return machineOf(hardware)
  const gpus: MachineGpu[] = gpu === undefined ? [] : parseGpus(gpu)
  const memory = ram === undefined ? { bytes: gpus.length > 0 ? ASSUMED_MEMORY_BYTES : hardware.memory.availableBytes } : parseMemory(ram)
  return describedMachine(gpus, memory)
}

function withoutDryRun(subject: Subject, { computeBytes, wishes }: Situation): Subject {
  if (subject.measuredCompute === undefined) return subject
  const { measuredCompute, ...rest } = subject
  const { compute: _, ...speed } = subject.correction ?? {}
  const formula = situationOf({ ...rest, correction: speed }, wishes).computeBytes
  return { ...rest, correction: { ...speed, compute: formula > 0 ? Math.max(measuredCompute, computeBytes) / formula : 1 } }
}

function modelPart(header: ModelHeader, { model }: PlanRequest, subject: Subject, { weights }: Situation): PlanReport['model'] {
  return {
    reference: model,
    title: header.title ?? model,
    architecture: header.architecture,
    source: header.source,
    quantization: header.quantization,
    parameters: weights.parameters,
    activeParameters: activeParameters(subject.facts, subject),
    trainedContext: header.trainedContext,
    readBytes: header.readBytes,
    requests: header.requests,
  }
}

function deviceOf({ name, kind, node, capacity, usable, parts, layers, ...rest }: PlacedDevice): PlanDevice {
  const used = usedBytes({ parts })
  return { name, kind, node, capacity, usable: Math.floor(usable), used, parts: { ...parts }, layers: rest.readAlways > 0 ? layers : 0 }
}

/** Over all devices: a cache that every rank holds counts as often. */
function memoryPart({ placed }: Situation): PlanReport['memory'] {
  const sum = (...names: (keyof PlacedDevice['parts'])[]): number =>
    placed.devices.reduce((total, { parts }) => total + names.reduce((own, name) => own + parts[name], 0), 0)
  return {
    weights: sum('weights', 'experts', 'lookup', 'draft'),
    kv: sum('kv'),
    compute: sum('compute'),
    overhead: sum('overhead'),
    total: placed.devices.reduce((total, device) => total + usedBytes(device), 0),
    usable: placed.devices.reduce((total, device) => total + Math.floor(device.usable), 0),
  }
}

function kvPart({ kvModel }: Subject, { kv }: Situation): PlanReport['kv'] {
  const parts = kv.parts.map(({ stream, layers, cells, bytesPerCell, bytes }) => ({ stream, layers, cells, bytesPerCell, bytes }))
  return {
    scheme: kvModel.scheme,
    bytes: kv.bytes,
    bytesPerToken: kv.bytesPerToken,
    fixedBytesPerSequence: kv.fixedBytesPerSequence,
    parts,
  }
}

function parallelismPart(subject: Subject, { placed, wishes }: Situation, reference: string): Pick<PlanReport, 'parallelism'> {
  const { machine, facts } = subject
  if (wishes.engine === 'llama' || placed.name !== 'tensor-parallel') return {}
  const { tensor, pipeline, data } = placed
  const hasExperts = facts.experts > 0
  const needs = needsOf(subject, wishes.quantization)
  const command = launchCommand({ reference, wishes, tensor, pipeline, data, nodes: machine.nodes, hasExperts, needs })
  const unused = machine.gpus.length - placed.devices.length
  return { parallelism: { tensor, pipeline, data, expert: hasExperts ? tensor * data : 1, nodes: machine.nodes, unused, command } }
}

function needsOf({ header, kvModel, machine }: Subject, quantization: string): LaunchNeeds {
  const isAscend = machine.gpus.some((gpu) => gpu.vendor === 'ascend')
  const scheme = { V4: 'deepseek_v4', 'V4.1': 'deepseek_v41' } as const
  const tokenizer = kvModel.scheme === 'V4' || kvModel.scheme === 'V4.1' ? scheme[kvModel.scheme] : undefined
  return {
    makesFp8: quantization === 'FP8' && ['BF16', 'F16', 'F32'].includes(header.quantization),
    isAscendInt8: isAscend && quantization === 'INT8',
    ...(tokenizer === undefined ? {} : { tokenizer, blockSize: isAscend ? 128 : 256 }),
  }
}
