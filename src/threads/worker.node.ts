// The script of a Node worker thread.
import { RuntimeLoadError } from '../core/errors.js';
import { serve } from './serve.js';
import { tasks } from './tasks.js';

const { parentPort: parent } = process.getBuiltinModule('node:worker_threads');
if (!parent) throw new RuntimeLoadError('worker: expected to be run by a pool, got a main thread');
serve(
  {
    post: (reply, transfer) => parent.postMessage(reply, transfer),
    listen: (receive) => {
      parent.on('message', receive);
    },
  },
  tasks,
);
