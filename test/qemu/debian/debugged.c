/* What test_debian.py looks at with gdb: a function, a variable that changes, a thread, and a fault if asked for. */
#include <pthread.h>
#include <stdio.h>

int counter;

static void *worker(void *amount)
{
	counter += *(int *)amount;
	return NULL;
}

int square(int x)
{
	counter = x * x;
	return counter;
}

int main(int argc, char **argv)
{
	int amount = 2, sum = 0;
	pthread_t thread;

	(void)argv;
	for (int i = 2; i < 4; i++)
		sum += square(i);
	pthread_create(&thread, NULL, worker, &amount);
	pthread_join(thread, NULL);
	printf("sum %d counter %d\n", sum, counter);
	if (argc > 1)
		*(volatile int *)16 = sum;
	return 0;
}
