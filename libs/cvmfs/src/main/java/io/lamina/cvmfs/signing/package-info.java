/** Trust: the signed manifest and whitelist, the certificate and the keys of a repository. */
@NullMarked
package io.lamina.cvmfs.signing;

import org.jspecify.annotations.NullMarked;
