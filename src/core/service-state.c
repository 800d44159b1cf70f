/* What can be said of a service without asking anybody. */

#include "core/service.h"

bool service_is_inactive(const Service *s)
{
        return s->state == SERVICE_DEAD || s->state == SERVICE_FAILED;
}

bool service_is_active(const Service *s)
{
        return s->state == SERVICE_RUNNING || s->state == SERVICE_EXITED || s->state == SERVICE_RELOAD;
}

bool service_is_activating(const Service *s)
{
        return (s->state >= SERVICE_CONDITION && s->state <= SERVICE_START_POST) ||
               s->state == SERVICE_PAUSE;
}

bool service_is_deactivating(const Service *s)
{
        return s->state >= SERVICE_STOP && s->state <= SERVICE_OVER;
}

const char *service_result(const Service *s)
{
        if (s->dependency_failed)
                return "dependency";
        if (s->unmet)
                return "condition";
        return job_result_to_string(s->result == JOB_RESULT_NONE ? JOB_RESULT_SUCCESS : s->result);
}
