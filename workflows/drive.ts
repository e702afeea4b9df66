import { allHandlersFinished, condition, isCancellation, log, workflowInfo } from '@temporalio/workflow';

/** The parts of a workflow that is a fold: pure decisions, and what performs them. */
export interface Fold<State, Event, Move extends { kind: string; key: string }> {
  state: State;
  applyEvent: (state: State, event: Event) => State;
  nextMoves: (state: State, now: number) => { moves: Move[]; wakeAt: number | null };
  /** Begins a move and answers with the event of its outcome. A failure becomes `move_failed`. */
  perform: (move: Move) => Promise<Event>;
  started: (move: Move, at: number) => Event;
  failed: (move: Move, at: number, reason: string) => Event;
  tick: (at: number) => Event;
  over: (state: State) => boolean;
  inFlight: (state: State) => number;
  /** Called whenever the state has changed: cancels what must not go on. */
  settled?: (state: State) => void;
}

/** A fold that runs: `apply` is what message handlers call. */
export interface Driver<State, Event> {
  readonly state: State;
  apply(event: Event): void;
  /** Drives until the fold is over (`over`) or the history asks for a new run (`renew`). */
  run(): Promise<'over' | 'renew'>;
}

/** How long a new run waits for what is on its way; what is not back by then is begun again under its key. */
const renewalPatienceMs = 10_000;

/** One loop for every workflow here: fold what happened, begin what is due, wait for an event or a deadline. */
export function createDriver<State, Event, Move extends { kind: string; key: string }>(
  fold: Fold<State, Event, Move>,
): Driver<State, Event> {
  let { state } = fold;
  let revision = 0;
  const apply = (event: Event) => {
    state = fold.applyEvent(state, event);
    revision += 1;
    fold.settled?.(state);
  };
  const begin = async (move: Move) => {
    apply(fold.started(move, Date.now()));
    try {
      apply(await fold.perform(move));
    } catch (error) {
      if (!isCancellation(error)) log.warn('a move failed', { move: move.key, error: String(error) });
      apply(fold.failed(move, Date.now(), reasonOf(error)));
    }
  };
  return {
    get state() {
      return state;
    },
    apply,
    async run() {
      for (;;) {
        apply(fold.tick(Date.now()));
        const { moves, wakeAt } = fold.nextMoves(state, Date.now());
        for (const move of moves) void begin(move);
        if (fold.over(state)) {
          await condition(allHandlersFinished);
          return 'over';
        }
        if (workflowInfo().continueAsNewSuggested) {
          await condition(() => fold.inFlight(state) === 0 && allHandlersFinished(), renewalPatienceMs);
          if (allHandlersFinished()) return 'renew';
        }
        const seen = revision;
        const changed = () => revision !== seen;
        if (wakeAt === null) await condition(changed);
        else await condition(changed, Math.max(1, wakeAt - Date.now()));
      }
    },
  };
}

/** The innermost message: what went wrong, for people, without the wrapping of the engine. */
function reasonOf(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current instanceof Error ? current.message : String(current);
}
