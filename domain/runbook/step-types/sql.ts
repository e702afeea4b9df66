import { z } from 'zod';
import type { SqlAction } from '../definition.ts';
import type { PlacedProblem } from '../problems.ts';
import { masked } from '../secret.ts';
import { shownValue, visible } from '../shown-text.ts';
import { bindStatement, compileStatement, controlsTransaction } from '../sql-statement.ts';
import { fillTemplate } from '../template.ts';
import { flag, secretReference, text, wholeNumber } from '../written.ts';
import { type EffectTypeShape, present } from './step-type.ts';

const rows = (what: string) => wholeNumber(what, 0, 1_000_000);
const statement = text('a statement', 20_000);

const keys = {
  connection: secretReference('connection').describe(
    'A PostgreSQL URL (postgres://user:password@host/database): env:NAME, file:NAME or ssm:/path.',
  ),
  statements: z
    .union(
      [statement, z.array(statement).min(1, 'sql needs at least one statement').max(50)],
      'write statements as one SQL statement or a list of them',
    )
    .describe('Run in order in one transaction. {{variables}} become bind parameters.'),
  read_only: flag('read_only').default(false).describe('In a transaction that can change nothing.'),
  max_rows: wholeNumber('max_rows', 1, 1_000_000)
    .default(1000)
    .describe('Rows that all statements together may change or return; one more rolls everything back.'),
  expect_rows: z
    .union(
      [
        rows('expect_rows'),
        z.strictObject({ least: rows('least').optional(), most: rows('most').optional() }),
      ],
      'write expect_rows as a number of rows, or as a mapping with least, most or both',
    )
    .optional()
    .describe('Rows that the last statement must return or change.'),
};

export const sqlType: EffectTypeShape<SqlAction, typeof keys> = {
  kind: 'sql',
  keys,
  templates: ['statements'],
  inherited: ['connection', 'max_rows'],
  defaultTimeoutMs: 60_000,
  read(written) {
    const expected = written.expect_rows;
    return {
      kind: 'sql',
      connection: written.connection,
      statements: [written.statements].flat(),
      readOnly: written.read_only,
      maxRows: written.max_rows,
      ...(expected === undefined
        ? {}
        : {
            expectRows:
              typeof expected === 'number' ? { least: expected, most: expected } : present(expected),
          }),
    };
  },
  *validate(written, action) {
    for (const [index, statementText] of action.statements.entries()) {
      const place = Array.isArray(written.statements) ? ['statements', index] : ['statements'];
      yield* statementProblems(statementText, place);
    }
    const { least = 0, most = Number.POSITIVE_INFINITY } = action.expectRows ?? {};
    if (least > most) {
      yield { place: ['expect_rows'], message: 'least is more than most; exchange them' };
    } else if (least > action.maxRows) {
      yield {
        place: ['expect_rows'],
        message: `no more than max_rows (${action.maxRows}) can come; raise max_rows or expect fewer`,
      };
    }
  },
  render: (action, values) => ({
    kind: 'sql',
    connection: action.connection,
    statements: action.statements.map((one) => bindStatement(one, values)),
    readOnly: action.readOnly,
    maxRows: action.maxRows,
    ...present({ expectRows: action.expectRows }),
  }),
  describe(action, values) {
    const { least, most } = action.expectRows ?? {};
    const expected =
      least === most
        ? least
        : [least === undefined ? [] : `at least ${least}`, most === undefined ? [] : `at most ${most}`]
            .flat()
            .join(', ');
    return [
      `on ${action.connection}, in one ${action.readOnly ? 'read-only ' : ''}transaction of at most ${action.maxRows} rows`,
      ...action.statements.map((one) => fillTemplate(visible(one.trim()), values, sqlLiteral)),
      ...(action.expectRows === undefined ? [] : [`expects rows: ${expected}`]),
    ].join('\n');
  },
};

function* statementProblems(one: string, place: (string | number)[]): Generator<PlacedProblem> {
  const compiled = compileStatement(one);
  for (const { offset, message } of 'problems' in compiled ? compiled.problems : []) {
    yield { place, message, near: one.slice(offset, offset + 6) };
  }
  if (controlsTransaction(one)) {
    yield {
      place,
      message: 'the step is one transaction of its own; take statements that begin or end one out',
    };
  }
}

/** As psql would need it written; it is passed as a bind parameter. */
function sqlLiteral(value: string): string {
  return value === masked ? value : `'${shownValue(value).replaceAll("'", "''")}'`;
}
