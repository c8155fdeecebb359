// Errors cross threads as data and are thrown again as what they were.
import * as errors from '../core/errors.js';
import type { PlainError } from './task.js';

/** An error as data. */
export function toPlain(error: unknown): PlainError {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  return { name, message };
}

const classes = {
  ShapeError: errors.ShapeError,
  DomainError: errors.DomainError,
  GraphError: errors.GraphError,
  RuntimeLoadError: errors.RuntimeLoadError,
  MemoryError: errors.MemoryError,
} as const;

/** The error a worker threw, of the class it had. */
export function fromPlain({ name, message }: PlainError): Error {
  if (name in classes) return new classes[name as keyof typeof classes](message);
  const error = new Error(message);
  error.name = name;
  return error;
}
