// The declarations of gimel.js. docs/client.md explains each option.

export interface Options {
  /** The URL that receives the events, as `gimel deploy` prints it. */
  url: string;
  /** Keeps experiments apart, for example one namespace per site. Default: "alephbet". */
  namespace?: string;
  /** An id of the visitor that your server knows. Default: a random one, kept in the browser. */
  visitor?: string;
  /**
   * Nothing is stored or sent, and no variant is shown, before this is true or the promise is
   * fulfilled. A promise of false means no. Default: true.
   */
  consent?: boolean | PromiseLike<unknown>;
  /** Treat Global Privacy Control as a lack of consent. Default: false. */
  respectGpc?: boolean;
  /** For how many days the browser keeps the visitor's id and variants. Default: 395. */
  expiry?: number;
}

export interface Variant {
  /** The share of visitors, in relation to the other variants. Default: 1. */
  weight?: number;
  /** Changes the page. If it throws or rejects, the error is counted and the control is shown. */
  activate?(experiment: Experiment): unknown;
}

export interface Design {
  name: string;
  variants: Record<string, Variant>;
  /** The variant to show where another one fails. Default: the first one. */
  control?: string;
  /** The share of visitors who take part, from 0 to 1. Default: 1. */
  sample?: number;
  /** Whether a visitor who does not take part yet may do so on this page. Default: yes. */
  trigger?(): boolean;
  /**
   * Goals by CSS selector: a goal is reached by a click on such an element, or, if the element is a
   * form, when the form is submitted.
   */
  goals?: Record<string, string>;
}

export interface GoalOptions {
  /** Count the goal once per visitor. Default: true. */
  unique?: boolean;
}

export interface Experiment {
  readonly name: string;
  readonly goals: Record<string, string>;
  /** The variant of this visitor, undefined if the visitor does not take part (yet). */
  readonly variant?: string;
  /** The visitor reached a goal of this experiment. */
  goal(name: string, options?: GoalOptions): void;
}

export interface Client {
  /** Start an experiment, or show its variant to a visitor who takes part in it. */
  experiment(design: Design): Experiment;
  /** The visitor reached a goal of every experiment that this page started. */
  goal(name: string, options?: GoalOptions): void;
  /** The id of the visitor, undefined before consent. */
  readonly visitor?: string;
}

export interface Gimel {
  /** Make a client, which sends its events to one URL. */
  (options: Options): Client;
  /** The variant of a visitor, as `gimel.assign` calculates it in Python. */
  assign(experiment: string, visitor: string, weights: Record<string, number>): string;
}

declare const gimel: Gimel;
export default gimel;

declare global {
  var gimel: Gimel;
}
