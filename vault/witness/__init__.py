"""A witness of logs (C2SP tlog-witness): whoever runs it elsewhere keeps an operator from showing two histories."""
