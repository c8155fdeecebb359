// What every form of the iteration offers to the loop that drives it.

/** One chunk of iterations. `stuck` says that this domain cannot go on. */
export interface Step {
  readonly done: number;
  readonly error: number;
  readonly stuck: boolean;
}
/** A way to iterate on potentials. */
export interface Domain {
  /** Takes on the potentials as they are; a cold start may shift them to where nothing underflows. */
  start(warm: boolean): void;
  iterate(count: number, tolerance: number, omega: number): Step;
  /** Applies the best translation of unbalanced potentials. */
  translate(): void;
  /** Puts everything the domain holds back into the potentials. */
  finish(): void;
}
