import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  log,
  workflowInfo,
} from '@temporalio/workflow';

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
  /** Somebody asked Temporal to cancel the workflow: an event as any other, which ends nothing by itself. */
  cancelRequested: (at: number) => Event;
  /** Nothing is left to do, and nothing is on its way. */
  over: (state: State) => boolean;
  inFlight: (state: State) => readonly string[];
  /** Whether a new run may begin the move of this key again while it is still on its way in this one. */
  repeatable: (key: string) => boolean;
  /** Called whenever the state has changed: cancels what must not go on. */
  settled?: (state: State) => void;
}

/** A fold that runs: `apply` is what message handlers call. */
export interface Driver<State, Event> {
  readonly state: State;
  apply(event: Event): void;
  /** For handlers: waits until the state is so, whether or not the workflow is asked to cancel. */
  until(check: (state: State) => boolean): Promise<void>;
  /** Drives until the fold is over (`over`) or the history asks for a new run (`renew`). */
  run(): Promise<'over' | 'renew'>;
}

/**
 * How long a new run waits for what is on its way; what is not back by then, and may be, is begun again under its
 * key. Meanwhile the old run goes on as ever.
 */
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
  async function run(): Promise<'over' | 'renew'> {
    let renewBy: number | null = null;
    for (;;) {
      apply(fold.tick(Date.now()));
      const { moves, wakeAt } = fold.nextMoves(state, Date.now());
      // what must not be on its way when a new run begins is left to that run
      for (const move of moves) if (renewBy === null || fold.repeatable(move.key)) void begin(move);
      const isOver = fold.over(state);
      if (isOver && allHandlersFinished()) return 'over';
      if (workflowInfo().continueAsNewSuggested) renewBy ??= Date.now() + renewalPatienceMs;
      if (renewBy !== null && mayRenew(renewBy)) return 'renew';
      const seen = revision;
      const patienceEnds = renewBy;
      const changed = () =>
        revision !== seen ||
        (isOver && allHandlersFinished()) ||
        (patienceEnds !== null && mayRenew(patienceEnds));
      const at = earliest(wakeAt, renewBy !== null && renewBy > Date.now() ? renewBy : null);
      if (at === null) await condition(changed);
      else await condition(changed, Math.max(1, at - Date.now()));
    }
  }
  function mayRenew(patienceEnds: number): boolean {
    const onTheirWay = fold.inFlight(state);
    const clear =
      onTheirWay.length === 0 || (Date.now() >= patienceEnds && onTheirWay.every(fold.repeatable));
    return clear && allHandlersFinished();
  }
  return {
    get state() {
      return state;
    },
    apply,
    until: (check) => CancellationScope.nonCancellable(() => condition(() => check(state))),
    async run() {
      CancellationScope.current().cancelRequested.catch(() => apply(fold.cancelRequested(Date.now())));
      return await CancellationScope.nonCancellable(run);
    },
  };
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

/** A scope that only Holdfast cancels, and not whoever asks for the whole workflow to be cancelled. */
export function ownScope(): CancellationScope {
  return new CancellationScope({ cancellable: true, parent: new CancellationScope({ cancellable: false }) });
}

/** The innermost message: what went wrong, for people, without the wrapping of the engine. */
export function reasonOf(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current instanceof Error ? current.message : String(current);
}
