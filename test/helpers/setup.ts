// Property tests draw from a fixed seed, so that a red run is red again; AFTERPASS_SEED=… explores others.
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.AFTERPASS_SEED ?? 1) });
