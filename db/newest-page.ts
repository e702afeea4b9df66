import { type SelectQueryBuilder, sql } from 'kysely';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';

export interface PageRequest {
  cursor?: string | undefined;
  limit: number;
}

/** What `query` finds, the newest first: the greatest id, which stands in `column`. Throws InvalidCursorError. */
export async function newestById<DB, TB extends keyof DB, Row extends { id: number }>(
  query: SelectQueryBuilder<DB, TB, Row>,
  column: string,
  { cursor, limit }: PageRequest,
): Promise<Page<Row>> {
  const id = sql.ref(column);
  let beyond = query;
  if (cursor !== undefined) {
    const [lastId] = decodeCursor(cursor, ['integer']);
    beyond = query.where(sql<boolean>`${id} < ${lastId}`);
  }
  const rows = await beyond
    .orderBy(id, 'desc')
    .limit(limit + 1)
    .$castTo<Row>()
    .execute();
  return toPage<Row>(rows, limit, (last) => encodeCursor(last.id));
}

/**
 * What `query` finds, the newest first by the moment in the column `at`, then by `id`. Throws InvalidCursorError.
 */
export async function newestByMoment<DB, TB extends keyof DB, Row extends { id: string | number }>(
  query: SelectQueryBuilder<DB, TB, Row>,
  column: { at: string; id: string; kind: 'uuid' | 'integer' },
  { cursor, limit }: PageRequest,
): Promise<Page<Omit<Row, 'exactAt'>>> {
  const at = sql.ref(column.at);
  const id = sql.ref(column.id);
  let beyond = query;
  if (cursor !== undefined) {
    const [lastAt, lastId] = decodeCursor(cursor, ['instant', column.kind]);
    beyond = query.where(sql<boolean>`(${at}, ${id}) < (${lastAt}::timestamptz, ${lastId})`);
  }
  const rows = await beyond
    // the instant as text keeps its microseconds, which a Date loses
    .select(sql<string>`${at}::text`.as('exactAt'))
    .orderBy(at, 'desc')
    .orderBy(id, 'desc')
    .limit(limit + 1)
    .$castTo<Row & { exactAt: string }>()
    .execute();
  const page = toPage(rows, limit, (last) => encodeCursor(last.exactAt, last.id));
  return { ...page, items: page.items.map(({ exactAt: _, ...row }) => row) };
}
