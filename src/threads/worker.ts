// The script of a Web Worker.
import { serve } from './serve.js';
import { tasks } from './tasks.js';

const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  onmessage: ((event: { data: never }) => void) | null;
};

serve(
  {
    post: (reply, transfer) => scope.postMessage(reply, transfer),
    listen: (receive) => {
      scope.onmessage = ({ data }) => receive(data);
    },
  },
  tasks,
);
