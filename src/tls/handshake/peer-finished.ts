import { timingSafeEqual } from 'node:crypto';
import { TlsError } from '../alert.js';

/** The proof that the client's Finished is right: no connection is established without one, and only a check makes one. */
export class PeerFinished {
  /** Not public, so that no other object passes for a PeerFinished. */
  protected readonly verified = true;

  /**
   * @param verifyData the body of the client's Finished
   * @throws TlsError malformed_message, bad_finished
   */
  constructor(verifyData: Buffer, expected: Buffer) {
    if (verifyData.length !== expected.length) {
      throw new TlsError('malformed_message', `${verifyData.length} bytes of verify_data`);
    }
    if (!timingSafeEqual(verifyData, expected)) throw new TlsError('bad_finished');
  }
}
