import type { RunbookInput } from './definition.ts';
import type { WrittenInput } from './schema.ts';
import { present } from './step-types/step-type.ts';

/** An input that is declared by its name alone, or used without being declared, is null. */
export function readInput(written: WrittenInput): RunbookInput {
  const preset = written?.default === undefined ? undefined : String(written.default);
  return {
    ...present({ description: written?.description }),
    type: written?.type ?? 'text',
    ...present({ options: written?.options?.map(String), pattern: written?.pattern }),
    required: written?.required ?? preset === undefined,
    ...present({ default: preset, fromLabel: written?.from_label, fromSecret: written?.from_secret }),
    allowLeadingDash: written?.allow_leading_dash ?? false,
    secret: written?.secret === true || written?.from_secret !== undefined,
  };
}
